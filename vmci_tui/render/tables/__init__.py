"""Tables of what readers make of a file, with columns as wide as the screen has room for."""
