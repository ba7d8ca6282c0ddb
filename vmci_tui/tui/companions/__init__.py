"""Panes that follow the others: an explanation, numbers at the cursor, the file as a map and a tree."""
