"""What is known about Linux: keys, kernel widths, packages with symbols, releases of tools."""
