"""The panes of the main screen, and their rows."""
