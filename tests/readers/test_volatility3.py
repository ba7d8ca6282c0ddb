"""volatility3 as a reader: which rule decides, with which words; `tests/real/` holds it to the program."""

from __future__ import annotations

import pytest

from tests.dumps.factory import Load, cpus, elf, note
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Verdict, judge
from vmci_tui.readers.volatility3 import READER

_TEXT = b"OSRELEASE=6.1.0-mem\nPAGESIZE=4096\nKERNELOFFSET=1a000000\n"


def verdict(data: bytes) -> Verdict:
    return judge(READER, View(BytesSource(data)))


def memory(*notes: bytes) -> bytes:
    """Return a dump whose memory, at 0x4000, has each note at a page start; its own note is of another kernel."""
    return elf([cpus() + note()], [Load(0x4000, b"".join(each.ljust(4096, b"\0") for each in notes) + bytes(4096))])


def rule(data: bytes) -> str | None:
    decisive = verdict(data).decisive
    return None if decisive is None else decisive.rule.name


def test_it_finds_the_note_in_memory_not_that_of_the_file() -> None:
    seen = verdict(memory(bytes(8), note(_TEXT)))
    assert (seen.accepts, seen.osrelease, seen.text) == (True, "6.1.0-mem", _TEXT)
    assert seen.says == "0x5000  OSRELEASE  6.1.0-mem"


def test_the_note_of_the_file_alone_does_not_count() -> None:
    assert (verdict(memory()).accepts, rule(memory())) == (False, "no-note")


def test_files_of_other_kinds_are_searched_whole() -> None:
    assert verdict(elf([note(_TEXT)], bits=32, machine=3)).osrelease == "6.1.0-mem"
    assert verdict(b"KDUMP   " + bytes(5000) + note(_TEXT) + bytes(5)).osrelease == "6.1.0-mem"


def test_the_first_note_that_is_whole_and_printable_counts() -> None:
    good = note(_TEXT)
    others = (good[:8] + b"\1" + good[9:], note(b"X" + _TEXT), note(_TEXT + b"\0"), note(b""))
    assert verdict(memory(*others, good)).says == "0x8000  OSRELEASE  6.1.0-mem"


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        (b"OSRELEASE=6\nnothing\n", "no-pair", "ValueError: not enough values to unpack (expected 2, got 1)"),
        (b"OSRELEASE=6\nSIZE(page)=010\n", "no-number", "ValueError: invalid literal for int() with base 0: '010'"),
        (b"OSRELEASE=6\nSYMBOL(a)=g\n", "no-number", "ValueError: invalid literal for int() with base 16: 'g'"),
        (b"OSRELEASE=6\nPAGESIZE=\n", "no-number", "ValueError: invalid literal for int() with base 0: ''"),
    ],
)
def test_a_text_that_python_cannot_parse_ends_it(text: bytes, name: str, words: str) -> None:
    seen = verdict(memory(note(text), note(_TEXT)))
    assert (seen.accepts, seen.says, rule(memory(note(text), note(_TEXT)))) == (False, words, name)


def test_an_empty_line_ends_the_text() -> None:
    assert verdict(memory(note(b"OSRELEASE=6\n\nnothing\n"))).accepts


def test_a_text_that_leaves_memory_ends_it() -> None:
    cut = note(_TEXT)[:4] + b"\xff\xff\0\0" + note(_TEXT)[8:]
    assert rule(memory(cut)) == "memory-missing"


def test_it_reads_numbers_as_python_does() -> None:
    values = verdict(memory(note(_TEXT + b"NUMBER(phys_base)=0x10\n"))).values()
    assert {key: value.shown for key, value in values.items()} == {
        b"OSRELEASE": "6.1.0-mem",
        b"KERNELOFFSET": "0x1a000000",
        b"NUMBER(phys_base)": "0x10",
    }
