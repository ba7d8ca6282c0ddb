"""The data of a kernel's image, read once to look for what no symbol names."""

from __future__ import annotations

from typing import Final, NamedTuple

from vmci_tui.kernel.facts.running_kernel import RunningKernel

_PAGE: Final = 4096
_LENGTH: Final = 48 << 20
"""Bytes after the code that are read; the data of Debian's kernels ends 8 to 32 MiB after it."""


class ImageData(NamedTuple):
    """What is after the code of a kernel: read-only data, code of boot, variables."""

    start: int
    """Its virtual address."""
    raw: bytes
    """With zeros for pages that the dump lacks, up to the last one that it has."""


def image_data(kernel: RunningKernel) -> ImageData | None:
    """Return the data; None if the table of symbols does not show where the code ends."""
    ends = kernel.symbols(b"_etext")
    if len(ends) != 1:
        return None
    start, read = -(-ends[0] // _PAGE) * _PAGE, (kernel.searched or kernel).read
    pages = [read(at, _PAGE) for at in range(start, start + _LENGTH, _PAGE)]
    while pages and pages[-1] is None:
        pages.pop()
    return ImageData(start, b"".join(page or bytes(_PAGE) for page in pages))
