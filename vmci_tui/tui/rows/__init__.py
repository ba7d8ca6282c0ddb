"""Long tables of the panes, whose rows are built when they are shown."""
