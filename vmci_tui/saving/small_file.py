"""Write small files that the user names, but never over an existing one."""

from __future__ import annotations

import os

from vmci_tui.common.errors import FileTaken, SaveError
from vmci_tui.common.safe_text import visible
from vmci_tui.common.signals import note_change, signals_blocked


def write_new(path: str, data: bytes) -> None:
    """Write a new file, whole or not at all. Raises SaveError, FileTaken if it exists."""
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
        words = error.strerror if isinstance(error, OSError) else "that is not a file name"
        raise SaveError(f"{visible(path)} cannot be written: {words}", "type another name") from None
