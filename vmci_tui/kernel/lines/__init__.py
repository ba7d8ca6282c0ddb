"""Each line of a vmcoreinfo text, compared with the kernel's symbols, types and variables."""
