"""The command line: what a shell user calls; data on stdout, talk on stderr."""

from vmci_tui.cli.run import main

__all__ = ["main"]
