"""Panes that follow the cursor of the others: the meaning of a key, the bytes as numbers, the map of the file."""
