"""The probe for reading: a reader reads kernel memory where it finds utsname by its own translation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.proof.cross_checks import needed
from vmci_tui.proof.witnesses.utsname import LENGTH, uts_of
from vmci_tui.readers.rule import NOT_KNOWN, ProbeResult

_TOP: Final = 1 << 64
OTHER_BYTES: Final = "where utsname should lie it reads other bytes"
"""Our words: the program reads, without a word, what is not there."""


class ReadFailure(Exception):
    """A read that fails; its message is the program's."""


def probe(text: bytes | None, read: Callable[[int, int], bytes]) -> ProbeResult:
    """Read utsname, at the virtual address that the text tells, by `read(address, length)`, which raises Unread."""
    wanted = needed(Vmcoreinfo(text or b""))
    if isinstance(wanted, str):
        return NOT_KNOWN
    try:
        raw = read(wanted[0] % _TOP, LENGTH)
    except ReadFailure as failed:
        return ProbeResult(False, str(failed))
    return ProbeResult(True) if uts_of(raw) is not None else ProbeResult(False, OTHER_BYTES)
