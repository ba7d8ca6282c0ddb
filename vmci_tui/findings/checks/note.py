"""Findings about the notes: their headers, names, sizes, class and byte order (codes N)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.common.safe_text import visible
from vmci_tui.common.span import Span
from vmci_tui.containers import Dump
from vmci_tui.containers.elf.dump import ElfDump
from vmci_tui.document import edit_notes
from vmci_tui.document.edit import Edit
from vmci_tui.findings.finding import Context, Finding, new_finding
from vmci_tui.formats.elf_note import NAME, Note
from vmci_tui.formats.fw_cfg_entry import SIZE_LIMIT
from vmci_tui.formats.header_text import HeaderText
from vmci_tui.formats.note_kinds import XEN
from vmci_tui.knowledge import kernel_width as bitness
from vmci_tui.machines.lookup import machine_facts

_OF_BLOCKS: Final = "name the blocks of its memory first: `--blocks NAME,...`; the note may be in one of them"


def check(context: Context) -> Iterator[Finding]:
    """Check the notes of a dump; yield nothing for an entry alone."""
    if context.dump is None:
        return
    yield from _which(context)
    for index, note in enumerate(context.state.notes):
        yield from _shape(context, index, note)
        if note.is_vmcoreinfo:
            yield from _vmcoreinfo(context, index, note)
    if (xen := beside_linux(context.state.notes)) is not None:
        yield new_finding("M12", "the dump has the Xen hypervisor's text and the kernel's", context.note_span(xen))
    if context.state.vmcoreinfo is not None and context.state.vmcoreinfo.text:
        yield from _class(context)


def beside_linux(notes: tuple[Note, ...]) -> int | None:
    """Return the index of the hypervisor's note in a dump of a Xen dom0 that also has Linux's note; else None."""
    if not any(note.is_vmcoreinfo and note.whole and note.name != XEN for note in notes):
        return None
    return next((n for n, note in enumerate(notes) if note.name == XEN and note.whole), None)


def _which(context: Context) -> Iterator[Finding]:
    order = context.dump.order if context.dump else "little"
    found = [
        i
        for i, note in enumerate(context.state.notes)
        if note.is_vmcoreinfo and not note.is_windows and not isinstance(note, HeaderText)
    ]
    if not any(note.is_vmcoreinfo for note in context.state.notes):
        cure = _OF_BLOCKS if isinstance(context.dump, ElfDump) and context.dump.unplaced else ""
        yield new_finding("N01", "the VMCOREINFO note is missing", cure=cure)
    elif len(found) > 1:
        yield new_finding(
            "N05",
            f"the dump has {len(found)} VMCOREINFO notes",
            context.note_span(found[0]),
            Edit.of(edit_notes.keep_last_note, order=order) if context.state.note else None,
        )


def _shape(context: Context, index: int, note: Note) -> Iterator[Finding]:
    span = context.note_span(index)
    if not note.whole:
        yield new_finding(
            "N02",
            f"note {index} is broken: {note.broken}",
            span,
            Edit.of(edit_notes.drop_note, index=index).named("remove the broken bytes"),
        )
        return
    if note.is_empty:
        yield new_finding("N07", f"note {index} is 12 zero bytes", span, Edit.of(edit_notes.drop_empty_notes))
    if any(note.padding):
        yield new_finding("N03", f"the padding of note {index} is not zero", span)
    if len(note.raw) % 4 and not isinstance(note, HeaderText):
        yield new_finding("N12", f"note {index} ends without its padding", span)


def _vmcoreinfo(context: Context, index: int, note: Note) -> Iterator[Finding]:
    span = context.note_span(index)
    if note.name != NAME:
        yield new_finding(
            "N04",
            f"the note's name is {visible(note.name[:60])}, not exactly VMCOREINFO and one NUL",
            span,
            Edit.of(edit_notes.rename_note, index=index, name=NAME).named("name it VMCOREINFO") if note.whole else None,
        )
    if note.descsz > SIZE_LIMIT or len(note.raw) > SIZE_LIMIT:
        yield new_finding(
            "N06", f"the note is oversized: {len(note.raw)} bytes (descsz {note.descsz}), more than 1 MiB", span
        )
    if not note.whole:
        return
    if context.dump is not None and note.order != context.dump.order:
        words = f"the note's header words are {note.order}-endian, but the file is {context.dump.order}-endian"
        yield new_finding("N08", words, span, Edit.of(edit_notes.reorder_header, index=index, order=context.dump.order))
    if note.type != 0:
        yield new_finding(
            "N09",
            f"the note's type is {note.type:#x}, but Linux writes 0",
            span,
            Edit.of(edit_notes.retype_note, index=index, kind=0).named("set the type to 0"),
        )
    if note.is_windows:
        yield _windows(note, span)


def _windows(note: Note, span: Span) -> Finding:
    from vmci_tui.formats.windows_header import windows_header

    header = windows_header(note)
    assert header is not None
    return new_finding("N13", f"the note holds a Windows dump header: {header.summary}", span)


def target_bits(dump: Dump) -> int:
    """Return the guest's width in bits: that of its machine if it has only one, else the container's class."""
    return machine_facts(dump.machine).only_bits or dump.bits


def _class(context: Context) -> Iterator[Finding]:
    """Check the text's class: the note header does not show it, so the lines of the text decide."""
    dump, text, index = context.dump, context.state.vmcoreinfo, context.state.index
    if dump is None or text is None or index is None:
        return
    target = target_bits(dump)
    verdict, votes = bitness.judge_bits(text, target)
    lines = text.lines
    shown = "; ".join(f"{visible(lines[v.line - 1].body[:60])}: {v.bits} bit ({v.why})" for v in votes[:6])
    first = lines[votes[0].line - 1] if votes else None
    span = context.text_span(first.offset, len(first.body)) if first else context.note_span(index)
    if verdict in ("error", "warning"):
        other = 96 - target
        yield new_finding(
            "N10",
            f"class mismatch: the guest is {target}-bit ({dump.machine}), but the text "
            f"{'is' if verdict == 'error' else 'may be'} from a {other}-bit kernel",
            span,
            severity="error" if verdict == "error" else "warning",
            why=f"the note header is the same in both classes, so the lines of the text decide: {shown}",
        )
        return
    if verdict == "unknown":
        yield new_finding("N14", f"nothing shows whether the text is from a {target}-bit kernel", span)
    named = bitness.machine_of(text)
    if named is not None and dump.machine is not None and named[0] != dump.machine:
        line = lines[named[1].line - 1]
        yield new_finding(
            "N11",
            f"the text is from {named[0]}, but the dump from {dump.machine}",
            context.text_span(line.offset, len(line.body)),
            why=f"{visible(line.body[:60])}: {named[1].why}",
        )
