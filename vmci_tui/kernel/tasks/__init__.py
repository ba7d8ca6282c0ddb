"""The task that each CPU ran, by the kernel's per-CPU variables and its types."""
