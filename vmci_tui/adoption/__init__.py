"""Choosing which of the notes found in memory is the guest's own."""
