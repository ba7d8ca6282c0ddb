"""The probe for reading: a reader reads kernel memory where it finds utsname by its own translation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.proof.cross_checks import needed
from vmci_tui.proof.witnesses.utsname import LENGTH, uts_of
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import NOT_KNOWN, ProbeResult

_TOP: Final = 1 << 64
OTHER_BYTES: Final = "it reads other bytes where utsname should be"
"""Our words: the program silently reads the wrong bytes."""


class ReadFailure(Exception):
    """A read that fails, with the program's message."""


def keys_of(view: View, text: bytes) -> Vmcoreinfo:
    """Return the text with its keys, looked up once for all readers that use the same text."""
    known = view.shared.get("keys")
    if not isinstance(known, Vmcoreinfo) or known.text != text:
        known = view.shared["keys"] = Vmcoreinfo(text)
    return known


def probe(view: View, text: bytes | None, read: Callable[[int, int], bytes]) -> ProbeResult:
    """Read utsname at its virtual address from the text with `read(address, length)`, which raises ReadFailure."""
    wanted = needed(keys_of(view, text or b""))
    if isinstance(wanted, str):
        return NOT_KNOWN
    try:
        raw = read(wanted[0] % _TOP, LENGTH)
    except ReadFailure as failed:
        return ProbeResult(False, str(failed))
    return ProbeResult(True) if uts_of(raw) is not None else ProbeResult(False, OTHER_BYTES)
