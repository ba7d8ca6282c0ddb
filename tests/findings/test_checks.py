"""Test one case of each finding; if it has a fix, the fix removes the finding, and undo restores it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.data_files import fault
from tests.dumps import factory
from tests.dumps.factory import I386, Load, cpus, elf, note, ram
from tests.findings import test_kdump_checks as test_kdump
from tests.findings import test_lines
from tests.kit import found, full_write, opened, saved
from tests.paths import SAMPLES
from tests.proof import guests
from vmci_tui import findings as checks
from vmci_tui.common.safe_text import Safe
from vmci_tui.document import edit_notes
from vmci_tui.document.document import Document, entry_document
from vmci_tui.document.edit import Edit
from vmci_tui.findings import Span
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.findings.judgement import Judgement
from vmci_tui.formats.fw_cfg_entry import RESET, Entry, EntryHistory, Write
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers import qemu
from vmci_tui.readers.verdicts import READERS

_GOOD = Entry(0, 1, 4132, 0x1000)
_TEXT = factory.TEXT_64


def entry(*writes: Write, origin: str = "writes") -> Document:
    history = EntryHistory(origin, writes)  # type: ignore[arg-type]
    return entry_document(Safe("test"), history, BytesSource(history.raw))


def blob(data: bytes) -> Document:
    return entry_document(Safe("test"), EntryHistory.of_blob(data), BytesSource(data))


def fields(**changed: int) -> Document:
    return blob(_GOOD._replace(**changed).pack())


def dump(*notes: bytes, **more: object) -> Document:
    return opened(elf((cpus() + b"".join(notes),), **more))  # type: ignore[arg-type]


def text(data: bytes) -> Document:
    return dump(note(data))


def beside(changed: Entry, data: bytes = _TEXT) -> Document:
    """A good dump with its entry."""
    history = EntryHistory("blob", (full_write(changed.pack()),))
    return opened(elf((cpus() + note(data),), (Load(0x1000, ram(8192)),)), history)


def guest(old: bytes, new: bytes) -> Document:
    """Return the dump of a booted guest with a changed note; the note in memory is unchanged."""
    raw = (SAMPLES / "amd64-cut-note.elf").read_bytes()
    return opened(raw.replace(old, new, 1))


def stale() -> Document:
    """Return a guest after kexec, with the note of the earlier kernel."""
    memory = guests.guest("amd64-stale-kernel")
    document = opened(memory.source.read(0, memory.source.size))
    before = guests.text_at(memory, int(guests.TRUTH["amd64-stale-kernel"]["stale_note"]["paddr"], 16))
    document.edit(Edit.of(edit_notes.append_text, before.text, "little"))
    return opened(saved(document))


def pointed(region: bytes, *notes: bytes) -> Document:
    """Return a dump whose entry points at `region`."""
    history = EntryHistory("blob", (full_write(_GOOD.pack()),))
    return opened(elf((cpus() + b"".join(notes),), (Load(0x1000, region.ljust(8192, b"\0")),)), history)


class Case(NamedTuple):
    code: str
    severity: str
    document: Document
    fixed: bool
    """Whether it has a fix."""


def _told(document: Document) -> list[tuple[str, str, Span | None]]:
    return [(item.code, item.message, item.span) for item in Judgement.of(document).found]


_CASES = (
    Case("E01", "error", blob(_GOOD.pack()[:15]), True),
    Case("E01", "error", blob(b""), True),
    Case("E01", "error", entry(Write(0, 8, bytes(8)), Write(8, 8, bytes(8))), True),
    Case("E01", "warning", entry(Write(4, 4, bytes(4)), full_write(_GOOD.pack())), False),
    Case("E01", "error", entry(Write(0, 8, bytes(8)), Write(8, 16, bytes(16))), True),  # the second is not stored
    Case("E02", "warning", blob(RESET), False),
    Case("E02", "warning", entry(), False),
    Case("E03", "warning", fields(guest_format=0), True),
    Case("E04", "error", fields(guest_format=2), True),
    Case("E05", "error", fields(size=0), False),
    Case("E05", "error", fields(size=11), False),
    Case("E05", "error", beside(_GOOD._replace(size=11)), True),
    Case("E06", "error", fields(size=(1 << 20) + 1), False),
    Case("E06", "error", beside(_GOOD._replace(size=0x7FFFFFFF)), True),
    Case("E07", "warning", fields(size=1 << 20), False),
    Case("E07", "warning", beside(_GOOD._replace(size=1 << 20)), True),
    Case("E08", "error", beside(_GOOD._replace(paddr=0x100000)), False),
    Case("E08", "warning", beside(_GOOD._replace(paddr=0x2800)), False),
    Case("E09", "error", blob(_GOOD.pack() + b"x"), True),
    Case("E09", "error", entry(full_write(_GOOD.pack()), Write(0, 16, None)), True),
    Case("E09", "warning", entry(Write(9, 9, bytes(9)), full_write(_GOOD.pack())), False),
    Case("E10", "error", fields(size=int.from_bytes((4132).to_bytes(4, "little"), "big")), True),
    Case("E11", "error", beside(_GOOD._replace(size=24 + len(_TEXT) - 1)), True),
    Case("E12", "warning", pointed(note(_TEXT + b"A=1\n"), note()), False),
    Case("E13", "warning", pointed(_TEXT, note()), False),
    Case("E13", "warning", pointed(b"", note()), False),
    Case("E13", "warning", beside(_GOOD), False),
    Case("E14", "info", pointed(note()), True),
    Case("N01", "error", dump(), False),
    Case("N02", "error", dump(note(), bytes(7)), True),
    Case("N02", "error", dump(note(namesz=1 << 31)), True),
    Case("N02", "error", dump(note(descsz=1 << 31)), True),
    Case("N03", "info", dump(note(_TEXT + b"A=1\n", pad=b"!")), False),
    Case("N04", "error", dump(note(name=b"VMCOREINFO")), True),
    Case("N04", "error", dump(note(name=b"VMCOREINFO\0\0")), True),
    Case("N05", "error", dump(note(b"A=1\n"), note()), True),
    Case("N06", "error", text(_TEXT + b"A=1\n" * (1 << 18)), False),
    Case("N07", "warning", dump(bytes(12)), True),
    Case("N08", "error", opened(elf((cpus(order="big") + note(),), order="big", machine=21)), True),
    Case("N09", "warning", dump(note(kind=1)), True),
    Case("N10", "error", text(factory.TEXT_32), False),
    Case("N10", "warning", text(b"OSRELEASE=6.1.0\nSYMBOL(_stext)=c1000000\n"), False),
    Case("N11", "error", text(_TEXT.replace(b"NUMBER(phys_base)", b"NUMBER(kimage_voffset)")), False),
    Case("N12", "warning", dump(note(_TEXT + b"A=1\n")[:-2]), False),
    Case("N13", "info", dump(note(b"PAGEDU64" + bytes(100))), False),
    Case("N14", "info", text(b"OSRELEASE=6.1.0\nPAGESIZE=4096\n"), False),
    Case("T01", "error", text(_TEXT + b"A=\xc3\xa9\n"), False),
    Case("T01", "error", text(_TEXT + b"A=\x1b[31m\n"), False),
    Case("T02", "error", text(_TEXT.replace(b"\n", b"\r\n")), True),
    Case("T03", "error", text(_TEXT.replace(b"PAGESIZE", b"\0PAGESIZE")), True),
    Case("T04", "warning", text(_TEXT[:-1]), True),
    Case("T05", "warning", text(_TEXT + b"A=" + b"x" * 78 + b"\n"), False),
    Case("T06", "warning", text(_TEXT + b"PAGESIZE=8192\n"), True),
    Case("T06", "info", text(_TEXT + b"PAGESIZE=4096\n"), True),
    Case("T07", "error", text(_TEXT + b"SYMBOL(x)=0x12\n"), False),
    Case("T07", "error", text(_TEXT + b"NUMBER(x)=12z\n"), False),
    Case("T07", "error", text(_TEXT + b"OFFSET(x)=-1\n"), False),
    Case("T07", "error", text(_TEXT.replace(b"PAGESIZE=4096", b"PAGESIZE=4096 ")), True),
    Case("T07", "error", text(_TEXT + b"CRASHTIME=\n"), False),
    Case("T07", "error", text(_TEXT.replace(b"BUILD-ID=0", b"BUILD-ID=")), False),
    Case("T08", "warning", text(_TEXT + b"no equals sign\n"), True),
    Case("T08", "warning", text(_TEXT + b"\n"), True),
    Case("T08", "warning", text(_TEXT + b"=1\n"), True),
    Case("T09", "warning", text(_TEXT.partition(b"\n")[2]), False),
    Case("T09", "info", text(b"A=1\n" + _TEXT), False),
    Case("T10", "error", text(b""), False),
    Case("T11", "info", text(_TEXT + b"A=1\n" * 1100), False),
    Case("T12", "error", text(_TEXT.replace(b"4096", b"4095")), False),
    Case("T13", "warning", text(_TEXT + b"NUMBER(VA_BITS)=048\n"), True),
    Case("T13", "warning", text(_TEXT.replace(b"4096", b"010000")), True),
    Case("T16", "info", text(_TEXT), False),
    Case("T17", "warning", text(_TEXT + b"SYMBOL(_stext)=ffffffff83000000\n"), False),
    Case("T17", "warning", text(_TEXT + b"SYMBOL(_stext)=ffff800081000000\n"), False),
    Case("T18", "warning", text(_TEXT.replace(b"6.1.0", b"6.6.60")), False),
    Case("T24", "warning", text(_TEXT.replace(b"6.1.0", b"6.12.9")), False),
    Case("T25", "warning", opened(elf((note(),), machine=243)), False),
    Case("T26", "error", text(b"  " + _TEXT.replace(b"\n", b"\n\t")), True),
    Case("T26", "error", text(_TEXT + b" TITLE=x\n"), True),
    Case("T23", "warning", text(_TEXT + b"SRCFILE(pud_t)=pgtable.h\n"), False),
    Case("C01", "error", dump(note(), bits=32), False),
    Case("C01", "info", dump(note(factory.TEXT_32), machine=I386), False),
    Case("C02", "error", opened(elf((cpus() + note(),))[:-1]), False),
    Case("C03", "warning", opened(elf((cpus(), note()))), True),
    Case("C03", "warning", opened(elf(())), True),
    Case("C04", "warning", dump(note(), type=0xFE00), True),
    Case("C05", "warning", dump(note(), phentsize=0), True),
    Case("C35", "warning", opened(fault("633-armhf.elf")), True),
    Case("C36", "warning", opened(fault("461-vaddr-lies.elf")), True),
    Case("M01", "warning", opened(elf((cpus() + note(),), ())), False),
    Case("M08", "warning", stale(), False),
    Case("M06", "info", dump(note()), False),
    Case("M05", "error", guest(b"OSRELEASE=6.1.0-56-amd64", b"OSRELEASE=5.10.0-9-amd64"), True),
    Case("M10", "info", dump(note(), loads=(Load(4096, ram(4096, 1)), Load(4096, ram(4096, 1)))), False),
    Case("M12", "info", opened(fault("xen-dom0-both.elf")), False),
    Case("M11", "warning", opened(fault("418-kcore-paddr0.elf")), False),
    Case("M02", "warning", dump(note(), loads=(Load(0, ram(4096, 1)), Load(2048, ram(4096, 2)))), False),
)


@pytest.mark.parametrize("case", _CASES, ids=[f"{n}-{case.code}-{case.severity}" for n, case in enumerate(_CASES)])
def test_each_code_has_its_case_and_each_fix_removes_it(case: Case) -> None:
    document = case.document
    finding = found(document)[case.code]
    assert finding.severity == case.severity
    assert finding.message and finding.why and "\n" not in finding.message + finding.why
    assert (finding.message + finding.why).isascii() and (finding.message + finding.why).isprintable()
    assert (finding.fix is not None) == case.fixed
    if finding.fix is None:
        return
    before = _told(document)
    for _ in range(5):
        document.edit(finding.fix)
        again = found(document).get(case.code)
        if again is None or again.fix is None:
            break
        finding = again
    # Writes before the last one stay in the history and are reported, but they do not decide.
    left = [item.severity for item in Judgement.of(document).found if item.code == case.code]
    assert left == ["warning"] * len(left) if case.code in ("E01", "E09") else left == []
    while document.undo():
        pass
    assert _told(document) == before


def test_every_code_has_a_case() -> None:
    """The codes are read from the sources: a new one without a case, or without a reader that reports it, fails."""
    folder = Path(checks.__file__).parent
    made = {
        code for file in folder.rglob("*.py") for code in re.findall(r'new_finding\(\s*"(\w\d\d)"', file.read_text())
    }
    causes = {rule.cause for reader in (qemu.READER, *READERS) for rule in reader.rules}
    cases = {case.code for case in _CASES} | test_kdump.CODES | test_lines.CODES
    assert made - cases == set() and set(catalogue()) == cases | causes


@pytest.mark.parametrize("case", _CASES, ids=[f"{n}-{case.code}" for n, case in enumerate(_CASES)])
def test_spans_are_in_the_file_or_in_the_entry(case: Case) -> None:
    document = case.document
    for finding in Judgement.of(document).found:
        if finding.span is None:
            continue
        end = finding.span.offset + finding.span.length
        if finding.span.of == "entry":
            assert end <= 40
        else:
            assert end <= document.layout.image.size and finding.span.length


@pytest.mark.parametrize(
    ("document", "code", "spanned"),
    [
        (text(_TEXT + b"SYMBOL(x)=0x12\n"), "T07", b"0x12"),
        (text(_TEXT + b"no equals sign\n"), "T08", b"no equals sign\n"),
        (text(_TEXT + b"PAGESIZE=8192\n"), "T06", b"PAGESIZE=4096\n"),
        (text(_TEXT + b"A=\xff\n"), "T01", b"\xff"),
        (text(_TEXT + b"A=1\r\n"), "T02", b"\r\n"),
        (dump(note(kind=1)), "N09", note(kind=1)),
        (dump(note(name=b"VMCOREINFO")), "N04", note(name=b"VMCOREINFO")),
        (dump(bytes(12)), "N07", bytes(12)),
    ],
)
def test_a_span_is_exactly_the_bytes(document: Document, code: str, spanned: bytes) -> None:
    span = found(document)[code].span
    assert span is not None and document.read(span.offset, span.length) == spanned


def test_a_good_dump_with_its_entry_has_no_other_findings() -> None:
    """Only phys_base in decimal (T16), and memory without a kernel (M03, M06)."""
    text = _TEXT + b"SYMBOL(_stext)=ffffffff82000000\nSYMBOL(init_top_pgt)=ffffffff82610000\n"
    history = EntryHistory("blob", (full_write(_GOOD.pack()),))
    good = opened(elf((cpus() + note(text),), (Load(0x1000, note(text).ljust(8192, b"\0")),)), history)
    assert {item.code for item in Judgement.of(good).found} <= {"T16", "M03", "M06"}


def test_one_note_area_with_nothing_in_it_is_a_missing_note() -> None:
    """It is one PT_NOTE, so a fix of the headers would change nothing: an image of memory is shown with such a one."""
    codes = set(found(opened(elf((b"",)))))
    assert "N01" in codes and "C03" not in codes


def test_findings_of_a_kind_are_capped_and_counted() -> None:
    many = [item for item in Judgement.of(text(_TEXT + b"junk\n" * 500)).found if item.code == "T08"]
    assert len(many) == 21 and many[-1].message.startswith("480 more")


def test_errors_come_first() -> None:
    ranks = [("error", "warning", "info").index(f.severity) for f in Judgement.of(text(b"A=1\n\0\nB=1\nB=1")).found]
    assert ranks == sorted(ranks) and len(set(ranks)) == 3


def test_a_zeroed_entry_that_is_still_present_is_not_switched_off() -> None:
    """QEMU then says `guest note size is invalid: 0`."""
    document = entry(full_write(_GOOD.pack()), Write(0, 16, None))
    assert document.state.entry is not None and document.state.entry.present
    assert {"E05", "E09"} <= set(found(document)) and "E03" not in found(document)


def test_impacts_are_listed_at_the_decisive_write() -> None:
    """The last write that QEMU accepted decides: the earlier ones do not matter."""
    half = Write(0, 8, bytes(8))
    failed = Write(8, 12, bytes(12))
    for writes, number in (((half, Write(8, 8, bytes(8))), 2), ((half, half, half), 3), ((half, half, failed), 2)):
        document = entry(*writes)
        mine = [f for f in Judgement.of(document).found if f.code == "E01" and f.readers]
        assert [f.message.split()[1] for f in mine] == [str(number)]
        assert mine[0].readers[0].reader == "qemu" and mine[0].readers[0].refuses
