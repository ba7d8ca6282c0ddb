"""Test the head of a dump as a tree."""
