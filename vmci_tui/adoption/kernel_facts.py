"""Look up in memory what the lines of a dump's note should be."""

from __future__ import annotations

from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.document.document import Document
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.image.places import SEARCHED
from vmci_tui.kernel.lines.gather import running_kernel
from vmci_tui.kernel.lines.prove_lines import facts_of
from vmci_tui.kernel.lines.proved_line import KernelFacts
from vmci_tui.kernel.lines.running_kernel import NotKnown
from vmci_tui.proof.prove import prove


def kernel_facts(
    text: Vmcoreinfo, guest: Guest, progress: Progress = no_progress, within: int = SEARCHED
) -> KernelFacts | NotKnown:
    """Return what each line of a text should be, or why no kernel's tables were found.

    `within`: bytes of memory that are searched for them, if neither a CPU nor the text says where they are. Raises
    what `progress` raises.
    """
    placed = text
    for item in prove(text, guest, search=False).corrections:
        placed = placed.with_value(item.key, item.value)
    kernel = running_kernel(guest, placed, progress, within)
    return kernel if isinstance(kernel, NotKnown) else facts_of(kernel, text)


def facts_of_note(document: Document) -> KernelFacts | None:
    """Return what the lines of a dump's own note should be, without a search; None if it has none, or no tables."""
    text, dump = document.state.vmcoreinfo, document.dump
    if text is None or dump is None or not dump.guest_memory.size:
        return None
    found = kernel_facts(text, guest_of(dump), within=0)
    return found if isinstance(found, KernelFacts) else None
