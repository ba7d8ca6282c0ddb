"""The user's settings and the files that the program keeps for the user."""
