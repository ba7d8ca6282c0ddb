"""Judge texts that memory proves at the same place by their lines: one may be a stale or changed twin of the note.

The two witnesses read a few lines of a text. The kernel's tables of symbols and types say what most of them should be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from vmci_tui.common.progress import Progress
from vmci_tui.common.safe_text import visible
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.image.known_place import START
from vmci_tui.kernel.lines.gather import kernel_with_types
from vmci_tui.kernel.lines.prove_lines import prove_lines
from vmci_tui.kernel.lines.proved_line import ProvedLine
from vmci_tui.kernel.symbols.read_symbols import proved_symbols
from vmci_tui.proof.cross_checks import proved_kernel
from vmci_tui.proof.text_values import symbol

_MOST: Final = 8
"""Texts that are judged: memory that was not made for it has two or three."""
_SHOWN: Final = 64
"""Bytes of a key or value that are shown."""


def contradictions(texts: Iterable[Vmcoreinfo], guest: Guest, progress: Progress) -> Mapping[bytes, str]:
    """Return what is wrong with texts of one kernel, a clause each; empty for those without a wrong line.

    A text that is not among them was not judged: it is the only one of its kernel, the kernel has no tables, or they
    contradict lines of each text of that kernel. Raises what `progress` raises.
    """
    places: dict[tuple[int, int | None], list[Vmcoreinfo]] = {}
    for text in texts:
        kernel = proved_kernel(text, guest)
        if kernel is not None:
            # Two kernels in one linear map are as far from their addresses: ppc64 and i386, after a crash.
            places.setdefault((kernel.shift, symbol(text, START)), []).append(text)
    out: dict[bytes, str] = {}
    for twins in places.values():
        if 1 < len(twins) <= _MOST:
            out |= _judged(twins, guest, progress)
    return out


def _judged(twins: list[Vmcoreinfo], guest: Guest, progress: Progress) -> dict[bytes, str]:
    symbols = proved_symbols(guest, twins[0], progress)
    if symbols is None:
        return {}
    kernel = kernel_with_types(guest, symbols)
    wrong = {
        text.text: [line for line in prove_lines(kernel, text) if line.verdict == "contradicted"] for text in twins
    }
    return {} if all(wrong.values()) else {text: _clause(lines) for text, lines in wrong.items()}


def _clause(lines: list[ProvedLine]) -> str:
    if not lines:
        return ""
    first, *others = lines
    line = f"{visible(first.key[:_SHOWN])}={visible(first.value[:_SHOWN])}"
    right = "" if first.found is None else f" (it is {visible(first.found[:_SHOWN])})"
    more = f", and {len(others)} more" if others else ""
    return f"the kernel's tables contradict {line}{right}{more}"
