"""vmci-tui: inspect and repair the VMCOREINFO note in VM memory dumps."""

__version__ = "1.0.0"
