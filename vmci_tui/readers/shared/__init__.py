"""What several readers have in common: lines of a text, numbers as C reads them, ELF notes, kdump headers."""
