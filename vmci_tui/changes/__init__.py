"""What the edits changed: lines, notes and bytes that no file has yet."""
