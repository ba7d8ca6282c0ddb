"""The checks, by what they look at: entry, note, text, container, memory."""
