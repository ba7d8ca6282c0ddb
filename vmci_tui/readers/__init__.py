"""What each program that reads dumps makes of a file: one folder a program."""
