"""drgn and libkdumpfile, rule by rule, without the programs, which tests/real/agreement runs."""

from __future__ import annotations

import pytest

from tests.dumps.factory import Load, cpus, elf, note, ram
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers import drgn, libkdumpfile
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Verdict, judge

_TEXT = b"OSRELEASE=6.1.0\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)=ffffffff82610000\nNUMBER(a)=010\n"


def verdict(data: bytes, reader: object = drgn.READER) -> Verdict:
    return judge(reader, View(BytesSource(data)))  # type: ignore[arg-type]


def dump(text: bytes = _TEXT, **more: object) -> bytes:
    return elf((cpus() + note(text),), (Load(0x1000, ram()),), **more)  # type: ignore[arg-type]


def test_a_sound_dump_is_accepted_with_its_release_and_note() -> None:
    data = dump()
    said = verdict(data)
    assert said.accepts and said.osrelease == "6.1.0" and said.text is not None and said.note is not None
    assert note(_TEXT).startswith(data[said.note.offset :][: said.note.length][:24])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_TEXT.replace(b"\n", b"\r\n"), "number in VMCOREINFO is invalid"),
        (_TEXT.replace(b"4096", b"4096 "), "number in VMCOREINFO is invalid"),
        (_TEXT.replace(b"OSRELEASE", b"RELEASE"), "VMCOREINFO does not contain valid OSRELEASE"),
        (_TEXT + b"BUILD-ID=0x12\n", "couldn't parse BUILD-ID in VMCOREINFO"),
        (_TEXT + b"BUILD-ID=" + b"1" * 41 + b"\n", "couldn't parse BUILD-ID in VMCOREINFO"),
    ],
)
def test_a_text_is_refused_in_its_words(text: bytes, words: str) -> None:
    said = verdict(dump(text))
    assert (said.accepts, said.stage, said.says) == (False, "after", words)


def test_what_is_refused_before_the_note_and_at_it() -> None:
    assert verdict(b"\x7fELF").stage == "before"
    assert verdict(dump(type=2)).stage == "before"
    missing = verdict(elf((cpus(),)))
    assert (missing.accepts, missing.stage) == (False, "note") and "unrecognized QEMU memory dump" in missing.says


def test_the_last_of_two_lines_counts_and_a_line_without_newline_does_not() -> None:
    said = verdict(dump(_TEXT + b"OSRELEASE=6.2.0\nOSRELEASE=6.3.0"))
    assert said.osrelease == "6.2.0"


@pytest.mark.parametrize(
    ("text", "accepts"),
    [(_TEXT, True), (_TEXT.replace(b"4096", b"3"), False)],
)
def test_libkdumpfile_wants_a_page_size_of_a_power_of_two(text: bytes, accepts: bool) -> None:
    assert verdict(dump(text), libkdumpfile.READER).accepts is accepts


def test_libkdumpfile_refuses_a_page_size_of_nothing() -> None:
    said = verdict(dump(_TEXT.replace(b"4096", b"0")), libkdumpfile.READER)
    assert said.accepts is False and said.says


def test_a_number_of_5000_digits_is_too_large_and_no_error() -> None:
    for reader in (drgn.READER, libkdumpfile.READER):
        for digits in (b"9" * 5000, b"0" * 5000 + b"1", b"0x" + b"f" * 5000):
            verdict(
                dump(_TEXT + b"NUMBER(VA_BITS)=" + digits + b"\nNUMBER(phys_base)=" + digits + b"\n"), reader
            ).values()
