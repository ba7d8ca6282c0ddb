"""Save a picture of the screen as SVG."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

from textual.app import App

from vmci_tui.common.errors import FileTaken
from vmci_tui.saving.new_file import write_new

_MAX_NUMBER = 1000


def picture_of(app: App[Any]) -> str:
    """Return the screen as SVG, without web fonts, which a closed network cannot load."""
    return re.sub(r"@font-face \{.*?\}\s*", "", app.export_screenshot(title="vmci"), flags=re.DOTALL)


def save_picture(app: App[Any]) -> str:
    """Write `vmci-N.svg` with the first free N into the current folder; return its name. Raises SaveError."""
    data = picture_of(app).encode("utf-8", "backslashreplace")
    for number in count(1):
        name = f"vmci-{number}.svg"
        try:
            write_new(name, data)
        except FileTaken:
            if number >= _MAX_NUMBER:
                raise
        else:
            return name
    raise AssertionError
