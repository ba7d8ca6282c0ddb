"""The command line: data on stdout, messages on stderr."""

from vmci_tui.cli.run import main

__all__ = ["main"]
