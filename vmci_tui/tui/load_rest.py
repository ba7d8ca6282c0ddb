"""Import what the keys open, in a thread once the first file is judged, so that no key waits for it."""

from __future__ import annotations

import gc
import importlib
import pkgutil
import time
from typing import Final

_FOLDERS: Final = (
    "screens",
    "reports",
    "panes",
    "companions",
    "widgets",
    "disk",
    "commands",
    "verdict",
    "rows",
    "live",
)
_RARE: Final = ("vmci_tui.tui.screens.bench_screen",)
"""Left out: it would keep a MiB of memory, mostly for a text field, and is opened from the start screen alone."""
_PAUSE: Final = 0.005
"""Seconds between two modules, in which the app's thread need not wait for this one: the interpreter's own interval."""


def load_rest(freezes: bool) -> None:
    """Import the screens and panes, and what they need.

    `freezes`: whether nothing that lives now is to be searched for garbage again. It is mostly modules, and each
    search of them took as long as a keystroke may.
    """
    for folder in ("", *(f".{name}" for name in _FOLDERS)):
        package = importlib.import_module(f"vmci_tui.tui{folder}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if module.name not in _RARE:
                importlib.import_module(module.name)
                time.sleep(_PAUSE)
    if freezes:
        gc.freeze()
