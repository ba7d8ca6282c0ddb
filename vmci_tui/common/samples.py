"""Find the bundled samples: small files with one story each, described in `sample_dumps/samples.toml`."""

from __future__ import annotations

import os
import tomllib
from functools import cache
from typing import NamedTuple

from vmci_tui.common.packaged import unpacked_folder

_HERE = os.path.dirname(__file__)
_PLACES = (
    os.path.join(_HERE, "..", "sample_dumps"),  # an installed wheel
    os.path.join(_HERE, "..", "..", "sample_dumps"),  # a checkout
)


class Sample(NamedTuple):
    """One bundled file."""

    name: str
    path: str
    story: str
    blob: str | None
    """Path of the entry that belongs to a dump, if any."""


@cache
def _folder() -> str | None:
    found = next((os.path.normpath(p) for p in _PLACES if os.path.exists(os.path.join(p, "samples.toml"))), None)
    return found or unpacked_folder("sample_dumps")


def sample_path(name: str) -> str | None:
    """Return the path of a bundled file; None if it does not exist."""
    folder = _folder()
    path = os.path.join(folder, name) if folder else ""
    return path if os.path.exists(path) else None


def samples() -> tuple[Sample, ...]:
    """Return the samples that can be opened, in the order in which they teach; none if the folder is missing."""
    folder = _folder()
    if folder is None:
        return ()
    with open(os.path.join(folder, "samples.toml"), "rb") as file:
        rows = tomllib.load(file)["sample"]
    return tuple(
        Sample(
            row["file"],
            os.path.join(folder, row["file"]),
            row["story"],
            os.path.join(folder, row["blob"]) if "blob" in row else None,
        )
        for row in rows
        if row.get("opens", True)
    )
