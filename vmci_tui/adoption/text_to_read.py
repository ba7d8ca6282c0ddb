"""Choose the vmcoreinfo text by which the kernel's own memory is read, in any dump that has one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from vmci_tui.adoption.choose import Searched, search, searched
from vmci_tui.adoption.rank import choose
from vmci_tui.common.errors import PackageMissing
from vmci_tui.common.progress import Progress
from vmci_tui.common.safe_text import visible
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.proof import prove
from vmci_tui.search.candidate import RankedCandidate

if TYPE_CHECKING:
    from vmci_tui.kernel.symbols.read_symbols import KernelSymbols


class ChosenText(NamedTuple):
    """A text, or None with the reason."""

    text: Vmcoreinfo | None
    remark: str = ""
    """Where it is from, if it is not the dump's own; a sentence, safe to show. Without a text, why there is none."""
    kernel: KernelSymbols | None = None
    """The text's kernel, if its symbols led to it."""


def text_to_read(
    own: Vmcoreinfo | None, guest: Guest, progress: Progress, known: Sequence[RankedCandidate] = ()
) -> ChosenText:
    """Return the dump's own text, with the values that memory corrects; if it has none, the best one in memory.

    A proved one in memory is also returned where memory contradicts the dump's own and no correction fits.
    `known` are the candidates of an earlier search, if there was one. Raises what `progress` raises.
    """
    if own is None:
        return _from_memory(guest, progress, known)
    text, proof = own, prove(own, guest, progress)
    if proof.proved is False and not proof.corrections:
        try:
            chosen = choose(known or search(guest, progress))
        except PackageMissing:
            chosen = None
        if chosen is not None:
            remark = f"Memory contradicts the note; the one in memory at {chosen.candidate.paddr:#x} was used."
            return ChosenText(chosen.candidate.vmcoreinfo, remark)
    for item in proof.corrections:
        text = text.with_value(item.key, item.value)
    values = " and ".join(f"{visible(item.key)}={visible(item.value)}" for item in proof.corrections)
    return ChosenText(text, f"The note is wrong; it was read with {values}, as memory says." if values else "")


def _from_memory(guest: Guest, progress: Progress, known: Sequence[RankedCandidate]) -> ChosenText:
    try:
        found, kernel = Searched(tuple(known)) if known else searched(guest, progress)
    except PackageMissing as missing:
        return ChosenText(None, f"The dump has no note, and memory cannot be searched: {missing}.")
    best = choose(found) or (found[0] if found else None)
    if best is None and guest.runs:
        return ChosenText(
            None, "The VM has no note, and its memory is not searched: `vmci convert` makes a dump of it."
        )
    if best is None:
        return ChosenText(None, "The dump has no note, and its memory has none.")
    remark = f"The dump has no note; the one in memory at {best.candidate.paddr:#x} was used."
    return ChosenText(best.candidate.vmcoreinfo, remark, kernel)
