"""Panes that follow the others: the meaning of a key, numbers at the cursor, the file as a map and a tree."""
