"""Say in one line what a file is: kernel, machine, CPUs and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.common.sizes import size_text
from vmci_tui.containers import Dump
from vmci_tui.document.document import Document
from vmci_tui.formats.note_kinds import is_cpu

if TYPE_CHECKING:  # `vmci show` reads a kernel only if it is asked to
    from vmci_tui.adoption.kernel_state import ShownKernel

_RELEASE_SHOWN = 80


def contents(document: Document, kernel: ShownKernel | None = None) -> Safe:
    """Return what the file holds: `Linux 6.1.0-56-amd64, x86_64, 2 CPUs, 192 MiB`.

    `kernel`: what memory says of it, where that was looked up: `..., panicked (Fatal exception), up 3 d 6 h`.
    """
    dump = document.dump
    if dump is None:
        return Safe("an entry, without a dump")
    cpus = sum(map(is_cpu, document.layout.notes))
    named = _kernel(document, None if kernel is None else kernel.release)
    parts = [named, dump.machine or "unknown machine", f"{cpus} CPU{'' if cpus == 1 else 's'}"]
    if kernel is None:
        return Safe(", ".join([*parts, size_text(memory_size(document, dump))]))
    from vmci_tui.render.kernel.state_words import state_in_short

    return Safe(", ".join([*parts, size_text(memory_size(document, dump)), *state_in_short(kernel.state)]))


def headline(document: Document, kernel: ShownKernel | None = None) -> Safe:
    """Return the first line of `vmci show`: what the file holds, and whether it has the note; nothing is judged."""
    return Safe(f"{contents(document, kernel)}; {_note_words(document)}")


def memory_size(document: Document, dump: Dump) -> int:
    """Return the bytes of guest memory in the file, uncompressed."""
    return document.layout.memory.size if dump.stored == "plain" else dump.guest_memory.size


def _kernel(document: Document, found: bytes | None) -> str:
    """Return the kernel that the note names, else the one that was found in memory."""
    text, note = document.state.vmcoreinfo, document.state.note
    if note is not None and note.is_windows:
        return "Windows"
    release = found if text is None or text.osrelease is None else text.osrelease
    return "unknown kernel" if release is None else f"Linux {visible(release[:_RELEASE_SHOWN])}"


def _note_words(document: Document) -> str:
    history, note = document.state.entry, document.state.note
    if document.dump is None:
        return f"the note is {'present' if history is not None and history.present else 'not present'}"
    if note is None:
        return "no VMCOREINFO note: `vmci check FILE` says what to do"
    return f"VMCOREINFO note of {size_text(len(note.raw))}: `vmci check FILE` says who can use it"
