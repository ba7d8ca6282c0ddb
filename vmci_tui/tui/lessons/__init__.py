"""Lessons in the app: the list, the panel, the running lesson, and the state of the screens that it checks."""
