"""vmci-tui: see, edit, re-append and save the VMCOREINFO note of guest dumps."""

__version__ = "0.1.0"
