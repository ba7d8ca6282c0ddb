"""What a repair or a save is about to do, as lines for the screen."""
