"""The lines of the utsname, by the utsname that is in the data of a kernel.

Source: include/linux/utsname.h of Linux 5.10 to 7.2: `struct uts_namespace` begins with a reference count of 4 bytes,
and since 5.11 with the utsname.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from vmci_tui.kernel.content.image_data import ImageData
from vmci_tui.kernel.facts.running_kernel import Fact, RunningKernel
from vmci_tui.proof.witnesses.utsname import LENGTH, MAGIC, uts_of

_COUNTED_BEFORE: Final = (5, 11)
_COUNT: Final = 4
_FIRST: Final = (5, 10)
_ALIGNED: Final = 4


def utsname_lines(kernel: RunningKernel, data: ImageData) -> Mapping[bytes, Fact]:
    """Return the lines by key; none if the data has no utsname of this kernel, or several."""
    version, found = kernel.version, list(_utsnames(kernel, data))
    if version is None or version < _FIRST or len(found) != 1:
        return {}
    before = _COUNT if version < _COUNTED_BEFORE else 0
    by = "the only utsname of this kernel in its data"
    return {b"SYMBOL(init_uts_ns)": Fact(found[0] - before, by), b"OFFSET(uts_namespace.name)": Fact(before, by)}


def _utsnames(kernel: RunningKernel, data: ImageData) -> Iterator[int]:
    """Yield where the utsname of this kernel is, as a running kernel has it."""
    at = data.raw.find(MAGIC)
    while at >= 0:
        uts = uts_of(data.raw[at : at + LENGTH])
        if uts is not None and uts.release == kernel.release and at % _ALIGNED == 0:
            raw = kernel.read(data.start + at, LENGTH)
            if raw is not None and uts_of(raw) == uts:
                yield data.start + at
        at = data.raw.find(MAGIC, at + 1)
