"""Files around a QEMU stream: libvirt's saves, also compressed ones, and snapshots of a running VM in a qcow2 disk."""
