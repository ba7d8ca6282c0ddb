"""Test what the edits changed."""
