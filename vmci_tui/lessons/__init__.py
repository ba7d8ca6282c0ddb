"""Lessons: their files, and the conditions under which a step is done."""
