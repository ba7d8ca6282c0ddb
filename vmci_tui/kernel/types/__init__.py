"""The kernel's types: BTF in guest memory, and the sizes, offsets and numbers that it gives."""
