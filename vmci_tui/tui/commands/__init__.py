"""The list of commands, and all bindings, of which it is made."""
