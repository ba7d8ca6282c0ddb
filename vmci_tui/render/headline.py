"""Say in one line what a file is: kernel, machine, CPUs and memory."""

from __future__ import annotations

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.common.sizes import size_text
from vmci_tui.containers import Dump
from vmci_tui.document.document import Document
from vmci_tui.formats.note_kinds import is_cpu

_RELEASE_SHOWN = 80


def contents(document: Document) -> Safe:
    """Return what the file holds: `Linux 6.1.0-56-amd64, x86_64, 2 CPUs, 192 MiB`."""
    dump = document.dump
    if dump is None:
        return Safe("an entry, without a dump")
    cpus = sum(map(is_cpu, document.layout.notes))
    parts = [_kernel(document), dump.machine or "unknown machine", f"{cpus} CPU{'' if cpus == 1 else 's'}"]
    return Safe(", ".join([*parts, size_text(memory_size(document, dump))]))


def headline(document: Document) -> Safe:
    """Return the first line of `vmci show`: what the file holds, and whether it has the note; nothing is judged."""
    return Safe(f"{contents(document)}; {_note_words(document)}")


def memory_size(document: Document, dump: Dump) -> int:
    """Return the bytes of guest memory in the file, uncompressed."""
    return document.layout.memory.size if dump.stored == "plain" else dump.guest_memory.size


def _kernel(document: Document) -> str:
    text, note = document.state.vmcoreinfo, document.state.note
    if note is not None and note.is_windows:
        return "Windows"
    release = None if text is None else text.osrelease
    return "unknown kernel" if release is None else f"Linux {visible(release[:_RELEASE_SHOWN])}"


def _note_words(document: Document) -> str:
    history, note = document.state.entry, document.state.note
    if document.dump is None:
        return f"the note is {'present' if history is not None and history.present else 'not present'}"
    if note is None:
        return "no VMCOREINFO note: `vmci check FILE` says what to do"
    return f"VMCOREINFO note of {size_text(len(note.raw))}: `vmci check FILE` says who can use it"
