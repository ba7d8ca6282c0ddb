"""Themes, and the styles of cells."""
