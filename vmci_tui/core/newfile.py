"""Small files that the user asks for by name: written only where there is none."""

from __future__ import annotations

from vmci_tui.core.errors import SaveError
from vmci_tui.core.text import visible


def write_new(path: str, data: bytes) -> None:
    """Write a file that is not there yet. Raises SaveError."""
    try:
        with open(path, "xb") as file:
            file.write(data)
    except FileExistsError:
        raise SaveError(f"{visible(path)} exists", "type another name") from None
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else "that is no file name"
        raise SaveError(f"{visible(path)} cannot be written: {words}", "type another name") from None
