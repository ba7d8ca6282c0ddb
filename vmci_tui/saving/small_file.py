"""Small files that the user asks for by name: written only where there is none."""

from __future__ import annotations

import os

from vmci_tui.common.errors import FileTaken, SaveError
from vmci_tui.common.safe_text import visible
from vmci_tui.common.signals import note_change, signals_blocked


def write_new(path: str, data: bytes) -> None:
    """Write a file that is not there yet, whole or not at all. Raises SaveError."""
    try:
        with signals_blocked(), open(path, "xb") as file:
            try:
                file.write(data)
                file.flush()
            except BaseException:
                os.unlink(path)
                raise
            note_change(f"{visible(path)} is written")
    except FileExistsError:
        raise FileTaken(f"{visible(path)} exists", "type another name") from None
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else "that is no file name"
        raise SaveError(f"{visible(path)} cannot be written: {words}", "type another name") from None
