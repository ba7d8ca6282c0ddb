"""`python -m vmci_tui`."""

from vmci_tui.cli import main

raise SystemExit(main())
