"""What each program that reads dumps makes of a file: one file a reader."""
