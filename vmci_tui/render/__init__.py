"""A document, verdicts, candidates and keys as text and JSON, for shell, screen and clipboard."""
