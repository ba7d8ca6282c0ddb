"""Findings about a kdump-compressed file: its two pointers, its utsname, its phys_base, its form (codes C and M)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vmci_tui.common.safe_text import visible
from vmci_tui.containers.guest import guest_of
from vmci_tui.containers.kdump.dump import KdumpDump
from vmci_tui.containers.kdump.room import WITH_NOTES
from vmci_tui.document import edit_head, edit_notes
from vmci_tui.document.edit import Edit, several
from vmci_tui.findings.finding import NEED_MEMORY, Context, Finding, new_finding
from vmci_tui.formats.header_text import HeaderText
from vmci_tui.formats.kdump_records import INCOMPLETE, UTSNAME
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.machines.lookup import machine_facts
from vmci_tui.proof import prove
from vmci_tui.proof.cross_checks import utsname_of
from vmci_tui.proof.witnesses.utsname import LENGTH, MAGIC, Uts, uts_of

_DECIMAL: Final = re.compile(rb"-?[0-9]{1,20}")
_SHIFT: Final = 4
_SHIFTED: Final = (
    "an old makedumpfile looks for the name four bytes behind its place on kernels from 5.11 on, where "
    "uts_namespace begins with it; drgn and libkdumpfile want sysname Linux, a release, a version and a machine"
)


def check(context: Context) -> Iterator[Finding]:
    """Everything about the headers of a kdump file; nothing of an ELF dump."""
    dump = context.dump
    if not isinstance(dump, KdumpDump):
        return
    yield from _utsname(context, dump)
    yield from _texts(context, dump)
    if not context.arranged:
        yield from _pointers(context, dump)
    yield from _phys_base(context)
    yield from _whole(dump)
    for doubt in (*dump.header.doubts, *dump.guest_memory.doubts):
        yield new_finding("C23", doubt, severity="warning")


def _whole(dump: KdumpDump) -> Iterator[Finding]:
    """Whether all of the dump is in the file: it may be cut off, unfinished, or one part of several."""
    header = dump.header
    if dump.missing:
        yield new_finding("C02", dump.missing, readers=NEED_MEMORY)
    if header.header.status & INCOMPLETE:
        yield new_finding("C33", "the header's status says that the dump is incomplete")
    if header.sub.split:
        first, last = header.pfns
        what = f"the pages {first:#x} to {last:#x} of {header.max_mapnr:#x}" if first < last else "no pages"
        yield new_finding("C32", f"the file is one part of a split dump: it has {what}")


def _utsname(context: Context, dump: KdumpDump) -> Iterator[Finding]:
    """libkdumpfile takes utsname where sysname is Linux and release, version and machine are not empty (util.c)."""
    header = context.state.header
    if header is None:
        return
    shifted = _shifted(context, dump)
    if shifted is not None:
        words = f"the kdump header's utsname is shifted by {_SHIFT} bytes: sysname is {visible(header.utsname[0])}"
        yield new_finding("C19", words, why=_SHIFTED, fix=_fill(context, dump, shifted))
        return
    names = dict(zip(UTSNAME, header.utsname, strict=True))
    lacking = [name for name in ("release", "version", "machine") if not names[name]]
    if names["sysname"] != b"Linux":
        lacking.insert(0, "sysname")
    if lacking:
        words = f"the kdump header's utsname lacks {', '.join(lacking)}"
        yield new_finding("C19", words, fix=_fill(context, dump, None))


def _shifted(context: Context, dump: KdumpDump) -> Uts | None:
    """utsname as the header would have it, had it not been taken four bytes behind its place; None where it was not."""
    fields = dump.header.header[2:8]
    if context.state.header != dump.header_fields:
        return None
    return uts_of((MAGIC[:_SHIFT] + b"".join(fields))[:LENGTH])


def _fill(context: Context, dump: KdumpDump, shifted: Uts | None) -> Edit | None:
    """utsname as guest memory has it, else as far as note and machine tell; no fix where there is no release.

    What else the header names stays, where it is not `shifted`.
    """
    text = context.state.vmcoreinfo
    if text is None or not text.osrelease:
        return None
    found = utsname_of(text, guest_of(dump))
    if found is None and shifted is not None and shifted.release == text.osrelease:
        found = shifted
    machine = machine_facts(dump.machine).uname
    if found is not None:
        names = found._asdict()
        for name, old in zip(UTSNAME, dump.header.header.utsname, strict=True):
            if name in ("nodename", "domainname") and old and shifted is None:
                del names[name]
    elif machine is not None and len(text.osrelease) <= 64:
        names = {"release": text.osrelease, "version": b"unknown", "machine": machine}
    else:
        return None
    fields = {"sysname": b"Linux", **names}
    every = tuple(Edit.of(edit_head.set_header, name, value) for name, value in fields.items())
    return Edit.of(several, every).named("fill in utsname")


def _texts(context: Context, dump: KdumpDump) -> Iterator[Finding]:
    """A text that the header alone names: drgn and libkdumpfile take it in files of version 3 only."""
    state = context.state
    text = state.header_text
    if text is None:
        return
    named = f"{text.descsz} bytes at {context.layout.note_offsets[state.notes.index(text)]:#x}"
    if any(note.is_vmcoreinfo and note.whole and note is not text for note in state.notes):
        words = f"the header names another text, {named}, than the VMCOREINFO note has"
        yield new_finding("C20", words, fix=_which_text(context, dump, text))
    elif dump.header.version >= WITH_NOTES or any(note is not text for note in state.notes):
        words = f"the header names a text, {named}, and there is no note of it"
        yield new_finding("C20", words, fix=Edit.of(edit_notes.make_note))


def _which_text(context: Context, dump: KdumpDump, text: HeaderText) -> Edit:
    """Both pointers to the header's text where memory proves that one alone, else to the note's."""
    guest, of_note = guest_of(dump), context.state.vmcoreinfo
    if prove(Vmcoreinfo(text.raw), guest).proved and (of_note is None or not prove(of_note, guest).proved):
        return Edit.of(edit_notes.make_note).named("make the header's text the note's")
    return Edit.of(edit_notes.drop_header_text)


def _pointers(context: Context, dump: KdumpDump) -> Iterator[Finding]:
    """What crash and makedumpfile are led to, and what drgn and libkdumpfile, in the file as it is."""
    offset, size = dump.header.vmcoreinfo
    index = context.state.index
    note = context.state.note
    if context.state.header_text is not None:
        return
    fix = Edit.of(edit_head.order_head).named("point both at the note")
    if note is None or index is None or note.is_windows:
        if size and (note is None or index is None or dump.note_starts[index] + note.desc_start != offset):
            yield new_finding("C20", f"the header names {size} bytes at {offset:#x} as the text, and none is there")
        return
    start = dump.note_starts[index] + note.desc_start
    if not size:
        yield new_finding("C20", "the header names no text, though there is a VMCOREINFO note", fix=fix)
    elif (offset, size) != (start, len(note.desc)):
        text = dump.plain.read(offset, min(size, 1 << 20))
        same = "the same text" if text == note.desc else "another text"
        words = f"the header names {same}, {size} bytes at {offset:#x}; the note's is {len(note.desc)} at {start:#x}"
        yield new_finding("C20", words, fix=fix, severity="warning" if text == note.desc else None)


def _phys_base(context: Context) -> Iterator[Finding]:
    header, text, dump = context.state.header, context.state.vmcoreinfo, context.dump
    value = text.get(b"NUMBER(phys_base)") if text is not None else None
    if header is None or dump is None or dump.machine != "x86_64" or value is None or not _DECIMAL.fullmatch(value):
        return
    wanted, mask = int(value), (1 << header.bits) - 1
    if header.phys_base == wanted & mask:
        return
    how = ""
    if header.phys_base == int(value, 16) & mask:
        how = ": QEMU took the decimal for hexadecimal"
    elif header.phys_base == 0:
        how = ": QEMU had no note to take it from"
    said = f"{visible(value)} = {wanted & mask:#x}"
    words = f"phys_base in the header is {header.phys_base:#x}, the note says {said}{how}"
    yield new_finding(
        "M07", words, fix=Edit.of(edit_head.set_phys_base, value=wanted).named("set phys_base to what the note says")
    )
