"""The words of the main screen's title: the file and what it holds at the left, its kernel at the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vmci_tui.common.safe_text import visible
from vmci_tui.common.sizes import size_text, time_text
from vmci_tui.document.document import Document
from vmci_tui.formats.note_kinds import is_cpu

if TYPE_CHECKING:
    from vmci_tui.findings.judgement import Judgement

_LONG: Final = 40
"""Characters of the longest path, and of the longest release, that is not shortened."""
_LESS: Final = 24
"""Those of the longest path on a narrow screen."""


def file_words(document: Document, mark: str, narrow: bool = False) -> str:
    """Return the open files and what they hold; `mark` says what happened to the file on the disk, or is empty.

    On a `narrow` screen without what the name of the machine says too.
    """
    most = _LESS if narrow else _LONG
    entry = _short(document.blob_name, most) if document.blob_name else ""
    alike = _last(document.name).rpartition(".")[0] + "."
    if narrow and _last(entry).startswith(alike):
        entry = _last(entry)[len(alike) - 1 :]  # `guest.elf + .entry`
    blob = f" + {entry}" if entry else ""
    marks = ("  READ-ONLY" if document.read_only else "") + ("  MODIFIED" if document.unsaved else "")
    marks += f"  {mark}" if mark else ""
    return f"vmci{marks}  {_short(document.name, most)}{blob}  {_kind(document, narrow)}"


def kernel_words(document: Document, judgement: Judgement | None) -> tuple[str, ...]:
    """Return the kernel that the note names, and whether memory proves the note; nothing without a note's text.

    Where it is known how long the kernel was up, the words with that are before those without.
    """
    text = document.state.vmcoreinfo
    if text is None or text.osrelease is None:
        return ()
    proof = None if judgement is None else judgement.proof
    kernel = f"Linux {visible(text.osrelease[:_LONG])}{' (proved)' if proof is not None and proof.proved else ''}"
    state = None if judgement is None or judgement.facts is None else judgement.facts.state
    if state is None or state.uptime is None:
        return (f"{kernel} ",)
    return f"{kernel}, up {time_text(state.uptime)} ", f"{kernel} "


def _kind(document: Document, narrow: bool) -> str:
    dump = document.dump
    if dump is None:
        return "entry"
    order = "LE" if dump.order == "little" else "BE"
    cpus = sum(map(is_cpu, document.layout.notes))
    what = f"{document.container_title} {'' if narrow else f'{dump.bits} bit {order} '}{dump.machine}"
    noted = f", {cpus} CPU{'' if cpus == 1 else 's'}" if cpus else ""  # an image of memory has no notes of CPUs
    return f"{what}, {size_text(dump.guest_memory.size)}{noted}"


def _short(name: str, most: int) -> str:
    """Return the last part of a long path; the status line shows all of it."""
    return name if len(name) <= most else f".../{_last(name)}"


def _last(path: str) -> str:
    return path.rsplit("/", 1)[-1]
