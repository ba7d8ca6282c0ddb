"""Read files that come with the package, also when it is imported from a zip file (`vmci.pyz`)."""

from __future__ import annotations

import atexit
import os
from typing import Any

import vmci_tui


def packaged_text(package: str, name: str) -> str:
    """Return the text of a file in a package's folder. (importlib.resources does the same; its import takes 10 ms.)"""
    loader: Any = vmci_tui.__loader__
    data: bytes = loader.get_data(os.path.join(*vmci_tui.__path__, *package.split(".")[1:], name))
    return data.decode()


def packaged_toml(package: str, name: str) -> dict[str, Any]:
    """Read a TOML file of a package of the program's own."""
    import tomllib

    return tomllib.loads(packaged_text(package, name))


def unpacked_folder(folder: str) -> str | None:
    """Unpack a folder of the zip file until the process ends, and return its path; None without a zip file."""
    archive = getattr(vmci_tui.__loader__, "archive", None)
    if archive is None:
        return None
    import tempfile
    import zipfile

    place = tempfile.TemporaryDirectory(prefix="vmci-")
    atexit.register(place.cleanup)
    inside = f"{vmci_tui.__name__}/{folder}"
    with zipfile.ZipFile(archive) as file:
        file.extractall(place.name, [name for name in file.namelist() if name.startswith(f"{inside}/")])
    return os.path.join(place.name, inside)
