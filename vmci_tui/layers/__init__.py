"""Byte sources over byte sources: a file, an image with changes, flattened records, guest memory."""
