"""Repairing: every safe fix, the fix for one reader, and the commands to run next."""
