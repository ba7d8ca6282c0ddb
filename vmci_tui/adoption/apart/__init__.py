"""Deciding which note a dump should have, in a process of its own: the app shows the file meanwhile."""
