"""What several readers have in common: numbers as C reads them, ELF notes, kdump headers."""
