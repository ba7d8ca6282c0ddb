"""Compare predicted verdicts with the real programs, over dumps damaged with a seed."""
