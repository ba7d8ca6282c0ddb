"""Searching compressed pages on all processors."""
