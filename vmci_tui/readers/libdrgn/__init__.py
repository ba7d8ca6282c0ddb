"""libdrgn, drgn's own library: an ELF core up to its VMCOREINFO note, and the text."""

from __future__ import annotations

from typing import Final

COMMAND: Final = "drgn -c FILE -e \"print(prog['VMCOREINFO'].string_().decode())\""
VERSION: Final = "0.3.0"
KNOWN: Final = (
    "0.0.20", "0.0.21", "0.0.22", "0.0.25", "0.0.28", "0.0.30", "0.0.31", "0.0.33", "0.1.0", "0.2.0", "0.3.0",
)  # fmt: skip
"""The versions of drgn that the rules were checked with, oldest first."""
