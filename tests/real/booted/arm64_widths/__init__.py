"""Notes of arm64 kernels with other sizes of pages and addresses than Debian's, which make.sh builds and boots."""
