"""Searching guest memory for notes."""
