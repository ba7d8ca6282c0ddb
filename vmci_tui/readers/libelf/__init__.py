"""libelf as a part of drgn: opening an ELF core."""
