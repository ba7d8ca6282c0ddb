"""The state of devices in a QEMU stream: where each field is, and the registers of the CPUs as notes."""
