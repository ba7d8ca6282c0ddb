"""A tiny kernel, built from Debian's source: its table of symbols is small enough for a sample."""
