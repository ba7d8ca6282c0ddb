"""The head of a dump as a tree: headers, tables, notes and registers, each with its bytes."""
