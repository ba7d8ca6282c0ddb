"""Predicted verdicts against the real programs, over dumps damaged with a seed."""
