"""Memory that was changed, or made to take time: what reads it ends soon and raises nothing."""
