"""The memory of a kernel, read by its virtual addresses."""
