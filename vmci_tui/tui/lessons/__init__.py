"""Lessons in the app: the list, the panel, and what they see of the screens."""
