"""What takes long in memory, in a process of its own: deciding about the note, and reading the kernel's tables."""
