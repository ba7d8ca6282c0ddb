"""Locate files of tests/data that once showed a fault."""

from __future__ import annotations

import gzip
import lzma

from tests.paths import DATA

FAULTS = DATA / "faults"


def fault(name: str) -> bytes:
    """Return the bytes of tests/data/faults/NAME, which may be bundled compressed."""
    path = FAULTS / name
    return path.read_bytes() if path.exists() else gzip.decompress((FAULTS / f"{name}.gz").read_bytes())


def version_example(name: str) -> bytes:
    """The bytes of tests/data/versions/NAME: a file of which versions of a program say different things."""
    return lzma.decompress((DATA / "versions" / f"{name}.xz").read_bytes())
