"""Where the panes are on a screen of any size."""
