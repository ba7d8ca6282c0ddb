"""What a kernel left in guest memory, as text and JSON."""
