"""A running VM, read through its QMP socket."""
