"""Findings about the notes: their headers, names, sizes, class and byte order (codes N)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from vmci_tui.core import bitness, edits
from vmci_tui.core.checks.base import Context, Finding, Fix
from vmci_tui.core.containers.elf import ElfDump
from vmci_tui.core.containers.elf_format import MACHINE_BITS
from vmci_tui.core.entry import SIZE_LIMIT
from vmci_tui.core.note import NAME, Note
from vmci_tui.core.text import visible


def check(context: Context) -> Iterator[Finding]:
    """Everything about the notes of a dump; nothing for an entry alone."""
    if context.dump is None:
        return
    yield from _which(context)
    for index, note in enumerate(context.state.notes):
        yield from _shape(context, index, note)
        if note.is_vmcoreinfo:
            yield from _vmcoreinfo(context, index, note)
    if context.state.vmcoreinfo is not None and context.state.vmcoreinfo.text:
        yield from _class(context)


def _which(context: Context) -> Iterator[Finding]:
    order = context.dump.order if context.dump else "little"
    found = [i for i, note in enumerate(context.state.notes) if note.is_vmcoreinfo and not note.is_windows]
    if not any(note.is_vmcoreinfo for note in context.state.notes):
        yield Finding(
            "N01",
            "error",
            "the dump has no VMCOREINFO note",
            "readers cannot know which kernel this is, nor where it lies; append the note from a file or another dump",
        )
    elif len(found) > 1:
        yield Finding(
            "N05",
            "error",
            f"the dump has {len(found)} VMCOREINFO notes",
            "most readers take the last one, not all of them",
            context.note_span(found[0]),
            Fix("keep the last one only", partial(edits.keep_last_note, order=order)) if context.state.note else None,
        )


def _shape(context: Context, index: int, note: Note) -> Iterator[Finding]:
    span = context.note_span(index)
    if not note.whole:
        yield Finding(
            "N02",
            "error",
            f"note {index} is broken: {note.broken}",
            "readers stop at it, or read past it; what follows is lost to them",
            span,
            Fix("take the broken bytes out", partial(edits.drop_note, index=index)),
        )
        return
    if note.is_empty:
        yield Finding(
            "N07",
            "warning",
            f"note {index} is 12 zero bytes",
            "QEMU appends this, without a word, when the entry's paddr lies outside the guest's RAM: "
            "the entry that the guest wrote was wrong",
            span,
            Fix("take the empty note out", partial(edits.drop_note, index=index)),
        )
    if any(note.padding):
        yield Finding(
            "N03",
            "info",
            f"the padding of note {index} is not zero",
            "no reader looks at it, and saving keeps it; it may hold bytes of something else",
            span,
        )
    if len(note.raw) % 4:
        yield Finding(
            "N12",
            "warning",
            f"note {index} ends without its padding",
            "the next note would begin at an address that no reader looks at; saving adds the padding",
            span,
        )


def _vmcoreinfo(context: Context, index: int, note: Note) -> Iterator[Finding]:
    span = context.note_span(index)
    if note.name != NAME:
        yield Finding(
            "N04",
            "error",
            f"the note's name is {visible(note.name[:60])}, not exactly VMCOREINFO and one NUL",
            "namesz must be 11; readers differ in what else they take",
            span,
            Fix("name it VMCOREINFO", partial(edits.rename_note, index=index, name=NAME)) if note.whole else None,
        )
    if note.descsz > SIZE_LIMIT or len(note.raw) > SIZE_LIMIT:
        yield Finding(
            "N06",
            "error",
            f"the note takes {len(note.raw)} bytes (descsz {note.descsz}): more than 1 MiB, an oversized note",
            "QEMU appends none that is larger, and no kernel writes more than a page",
            span,
        )
    if not note.whole:
        return
    if context.dump is not None and note.order != context.dump.order:
        yield Finding(
            "N08",
            "error",
            f"the note's header words are {note.order}-endian, the file is {context.dump.order}-endian",
            "readers follow the file's byte order and find no note; name and text need no change",
            span,
            Fix("swap the header words", partial(edits.reorder_header, index=index, order=context.dump.order)),
        )
    if note.type != 0:
        yield Finding(
            "N09",
            "warning",
            f"the note's type is {note.type:#x}, Linux writes 0",
            "some readers look at the type before the name",
            span,
            Fix("set the type to 0", partial(edits.retype_note, index=index, kind=0)),
        )
    if note.is_windows:
        yield Finding(
            "N13",
            "info",
            "the note holds a Windows dump header",
            "the Windows driver announces its dump header this way; it is not text, and is left alone",
            span,
        )


def target_bits(dump: ElfDump) -> int:
    """The guest's width: by e_machine where it has only one, else by EI_CLASS."""
    return MACHINE_BITS.get(dump.header.machine, dump.bits)


def _class(context: Context) -> Iterator[Finding]:
    """Class mismatch: the header cannot tell, so the text votes."""
    dump, text, index = context.dump, context.state.vmcoreinfo, context.state.index
    if not isinstance(dump, ElfDump) or text is None or index is None:
        return
    target = target_bits(dump)
    verdict, votes = bitness.judge_bits(text, target)
    lines = text.lines
    shown = "; ".join(f"{visible(lines[v.line - 1].body[:60])}: {v.bits} bit ({v.why})" for v in votes[:6])
    first = lines[votes[0].line - 1] if votes else None
    span = context.text_span(first.offset, len(first.body)) if first else context.note_span(index)
    if verdict in ("error", "warning"):
        other = 96 - target
        yield Finding(
            "N10",
            "error" if verdict == "error" else "warning",
            f"class mismatch: the guest is {target}-bit ({dump.machine}), "
            f"the text {'is' if verdict == 'error' else 'may be'} a {other}-bit kernel's",
            f"the note header is the same in both classes, so the text votes: {shown}",
            span,
        )
        return
    if verdict == "unknown":
        yield Finding(
            "N14",
            "info",
            f"whether the text is a {target}-bit kernel's cannot be told",
            "the note header is the same in both classes, and no line of the text votes",
            span,
        )
    named = bitness.machine_of(text)
    if named is not None and dump.machine is not None and named[0] != dump.machine:
        line = lines[named[1].line - 1]
        yield Finding(
            "N11",
            "error",
            f"the text is of {named[0]}, the dump of {dump.machine}",
            f"{visible(line.body[:60])}: {named[1].why}",
            context.text_span(line.offset, len(line.body)),
        )
