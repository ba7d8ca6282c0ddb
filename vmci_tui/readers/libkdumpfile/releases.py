"""The releases of libkdumpfile in drgn's wheels, and what each does otherwise. Distributions may combine others."""

from __future__ import annotations

from typing import Final, NamedTuple

from vmci_tui.readers.version import Version


class Release(NamedTuple):
    """A release of libkdumpfile; the defaults are those of the newest."""

    number: str
    drgn: Version
    """The first release of drgn whose wheel has it."""
    read_pages: int = 16
    """Pages that it caches of bytes that it cannot map. Before 0.5.5 it took the order for the number."""
    by_records: bool = True
    """Whether it reads all through the records of a flattened file; else no ELF dump, and no text or erase info."""
    reads_qemu_cpus: bool = True
    """Whether it reads QEMU's own notes of x86-64 processors."""
    new_machines: bool = True
    """Whether it reads registers and page tables of arm and riscv64, and knows the name of the latter."""
    guesses_padding: bool = True
    """Whether it distinguishes two forms of 32-bit sub-headers; else all are packed."""
    reads_erase_info: bool = True
    stays_in_bitmap: bool = True
    """Whether its search for pages ends with the bitmap; else it reads at least one byte more."""


RELEASES: Final = (
    Release("0.5.0", (), 1 << 10, False, False, False, False, False, False),
    Release("0.5.4", (0, 0, 24), 1 << 10, False, False),
    Release("0.5.6", (0, 0, 31)),
)
NEWEST: Final = RELEASES[-1]
TURNS: Final = tuple(release.drgn for release in RELEASES[1:])
"""The releases of drgn that came with another libkdumpfile."""
NEW_MACHINES: Final = ("arm", "riscv64")


def release_of(drgn: Version) -> Release:
    """Return the release in the wheel of a release of drgn."""
    return next(release for release in reversed(RELEASES) if release.drgn <= drgn)
