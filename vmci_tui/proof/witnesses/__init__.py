"""Places in memory where the kernel says again what the text says."""
