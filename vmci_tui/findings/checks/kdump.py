"""Findings about a kdump-compressed file: its two pointers, its utsname, its phys_base, its form (codes C and M)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vmci_tui.common.safe_text import visible
from vmci_tui.containers.guest import guest_of
from vmci_tui.containers.kdump.dump import KdumpDump
from vmci_tui.containers.kdump.room import WITH_NOTES
from vmci_tui.document import edit_headers, edit_notes
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
    "old versions of makedumpfile read the name four bytes too far on Linux 5.11 and later, where uts_namespace "
    "begins with it; drgn and libkdumpfile need sysname Linux, a release, a version and a machine"
)


def check(context: Context) -> Iterator[Finding]:
    """Check the headers of a kdump file; yield nothing for an ELF dump."""
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
    """Check that all of the dump is in the file: it may be cut off, unfinished, or one part of several."""
    header = dump.header
    if dump.missing:
        yield new_finding("C02", dump.missing, readers=NEED_MEMORY)
    if header.header.status & INCOMPLETE:
        yield new_finding("C33", "the header marks the dump as incomplete")
    if header.sub.split:
        first, last = header.pfns
        what = f"the pages {first:#x} to {last:#x} of {header.max_mapnr:#x}" if first < last else "no pages"
        yield new_finding("C32", f"the file is one part of a split dump: it has {what}")


def _utsname(context: Context, dump: KdumpDump) -> Iterator[Finding]:
    """Check utsname: libkdumpfile needs sysname Linux, and a release, version and machine (util.c)."""
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
    """Return the utsname of a header that was filled from four bytes too far; None if this one was not."""
    fields = dump.header.header[2:8]
    if context.state.header != dump.header_fields:
        return None
    return uts_of((MAGIC[:_SHIFT] + b"".join(fields))[:LENGTH])


def _fill(context: Context, dump: KdumpDump, shifted: Uts | None) -> Edit | None:
    """Return an edit that sets utsname from guest memory, else from note and machine; None without a release.

    The header's other names stay, unless it is `shifted`.
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
    every = tuple(Edit.of(edit_headers.set_header, name, value) for name, value in fields.items())
    return Edit.of(several, every).named("fill in utsname")


def _texts(context: Context, dump: KdumpDump) -> Iterator[Finding]:
    """Check for a text that only the header names: drgn and libkdumpfile use it only in files of version 3."""
    state = context.state
    text = state.header_text
    if text is None:
        return
    named = f"{text.descsz} bytes at {context.layout.note_offsets[state.notes.index(text)]:#x}"
    if any(note.is_vmcoreinfo and note.whole and note is not text for note in state.notes):
        words = f"the header names another text ({named}) than that of the VMCOREINFO note"
        yield new_finding("C20", words, fix=_which_text(context, dump, text))
    elif dump.header.version >= WITH_NOTES or any(note is not text for note in state.notes):
        words = f"the header names a text ({named}) that no note holds"
        yield new_finding("C20", words, fix=Edit.of(edit_notes.make_note))


def _which_text(context: Context, dump: KdumpDump, text: HeaderText) -> Edit:
    """Point both pointers at the header's text if memory proves only that one, else at the note's."""
    guest, of_note = guest_of(dump), context.state.vmcoreinfo
    if prove(Vmcoreinfo(text.raw), guest).proved and (of_note is None or not prove(of_note, guest).proved):
        return Edit.of(edit_notes.make_note).named("make the header's text the note's")
    return Edit.of(edit_notes.drop_header_text)


def _pointers(context: Context, dump: KdumpDump) -> Iterator[Finding]:
    """Compare the text that crash and makedumpfile find in the file with that of drgn and libkdumpfile."""
    offset, size = dump.header.vmcoreinfo
    index = context.state.index
    note = context.state.note
    if context.state.header_text is not None:
        return
    fix = Edit.of(edit_headers.order_headers).named("point both at the note")
    if note is None or index is None or note.is_windows:
        if size and (note is None or index is None or dump.note_starts[index] + note.desc_start != offset):
            yield new_finding("C20", f"the header names {size} bytes at {offset:#x} as the text, but there is no text")
        return
    start = dump.note_starts[index] + note.desc_start
    if not size:
        yield new_finding("C20", "the header names no text, but there is a VMCOREINFO note", fix=fix)
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
        how = ": QEMU read the decimal number as hexadecimal"
    elif header.phys_base == 0:
        how = ": QEMU had no note to read it from"
    said = f"{visible(value)} = {wanted & mask:#x}"
    words = f"phys_base in the header is {header.phys_base:#x}, but the note says {said}{how}"
    yield new_finding(
        "M07", words, fix=Edit.of(edit_headers.set_phys_base, value=wanted).named("set phys_base to the note's value")
    )
