"""Find the image of a kernel where a dump itself says that it is: by its CPUs, or by its text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import Spent
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.cpus.cpu import cpus_of
from vmci_tui.kernel.image.places import places
from vmci_tui.kernel.virtual_memory import places_of
from vmci_tui.proof.prove import placed_text
from vmci_tui.proof.text_values import symbol

START: Final = b"_stext"
"""The symbol of a kernel's first code."""
_STEPS: Final = 1 << 16
"""As many as a search for symbols may take."""


def starts(guest: Guest, text: Vmcoreinfo | None) -> Iterator[int]:
    """Yield the paddr of the first code of the text's kernel, if memory proves where that is."""
    start = None if text is None else symbol(text, START)
    if text is not None and start is not None:
        yield from (max(kernel.paddr(start), 0) for kernel, proved in places_of(text, guest) if proved)


def is_known(guest: Guest, text: Vmcoreinfo) -> bool:
    """Return whether a CPU or the text leads to the read-only data of a kernel: that is where its tables are.

    A text that differs from memory in few values leads there with those of memory. Takes little time where nothing
    does, which is so in most cut dumps. Raises PackageMissing, if there is none for the dump's compression.
    """
    cpus = cpus_of(guest.notes, guest.machine)
    with suppress(Spent):
        return any(places(guest, cpus, _placed_starts(guest, text), Budget(_STEPS), no_progress, within=0))
    return True


def _placed_starts(guest: Guest, text: Vmcoreinfo) -> Iterator[int]:
    found = tuple(starts(guest, text))
    yield from found or starts(guest, placed_text(text, guest))
