"""QEMU's migration streams: their records, from the head to the description of the devices."""
