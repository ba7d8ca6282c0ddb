"""`python -m vmci_tui`."""

from vmci_tui.cli.run import main

raise SystemExit(main())
