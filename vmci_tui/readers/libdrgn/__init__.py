"""libdrgn, drgn's own library: an ELF core up to its VMCOREINFO note, and the text."""
