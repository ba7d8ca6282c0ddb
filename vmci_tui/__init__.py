"""vmci-tui: see, edit, re-append and save the VMCOREINFO note of guest dumps."""

__version__ = "1.0.0"
