"""The commands, one file each."""

from __future__ import annotations

from typing import Final

GROUPS: Final = {
    "look": ("check", "show", "find", "log", "cpus", "symbols", "prove", "diff", "hex", "explain"),
    "repair": ("repair", "undo", "set", "append", "strip", "unflatten", "convert", "cut"),
    "craft": ("new", "craft", "ask", "predict"),
    "learn": ("lessons", "serve"),
}
"""All commands by what one uses them for, in the order of `vmci --help`."""
