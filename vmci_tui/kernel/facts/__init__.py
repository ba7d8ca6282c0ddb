"""What memory says of a kernel, a fact each: its symbols, its types, its variables, or why it says nothing."""
