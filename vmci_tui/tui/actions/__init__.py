"""What the keys of the main screen do."""
