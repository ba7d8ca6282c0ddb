"""The commands that read what a kernel left in guest memory."""
