"""Screens with a report of what the kernel left in guest memory, as the command of that name prints it."""
