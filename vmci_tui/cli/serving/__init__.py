"""Serving the lessons to browsers: the pages, and a terminal for each session."""
