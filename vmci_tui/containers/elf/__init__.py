"""ELF dumps: head, notes, memory, and their layout with other notes."""
