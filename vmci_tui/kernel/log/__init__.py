"""The log of a kernel: the printk ring (Linux 5.10 and later), or log_buf (before)."""
