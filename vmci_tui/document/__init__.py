"""What is open: its state, edits with undo, and what is at each byte."""
