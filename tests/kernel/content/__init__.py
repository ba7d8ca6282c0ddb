"""Tests of what the data of a kernel shows by its content."""
