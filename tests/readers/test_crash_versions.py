"""What versions of crash make of one file; each was asked: 7.2.9, 8.0.2, 8.0.6 and 9.0.2 of four Debian releases."""

from __future__ import annotations

import pytest

from tests.data_files import version_example
from tests.dumps.kdump_files import TEXT, kdump, narrow
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers.crash import READER
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Verdict, judge

_READ = "crash: compressed kdump: cannot read memory bitmap"
_SEEK = "crash: compressed kdump: cannot lseek memory bitmap"
_BEYOND = "crash: Mmap: Beyond the end of mapped file, corrupted?"
_MAP = "crash: compressed kdump: cannot mmap bitmap buffer"
_BUS = "killed by SIGBUS"
_BITMAP_END = 4096 * (2 + 8)


def _with_text_before(size: int | None = None, **fields: int) -> bytes:
    """Return a kdump with eight blocks of bitmap, and its text before them; `size`: where it is cut."""
    data = bytearray(kdump(TEXT, b"", b"x86_64", 8, b"", offset_vmcoreinfo=4096 + 512, **fields))
    data[4096 + 512 : 4096 + 512 + len(TEXT)] = TEXT
    return bytes(data[:size])


def _judged(data: bytes) -> list[Verdict]:
    return [judge(READER.at(version), View(BytesSource(data))) for version in READER.known]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (version_example("crash-806-refuses-cut.kdump"), (_READ, "6.1.0-56-amd64", _BEYOND, _BEYOND)),
        (version_example("crash-802-sigbus.kdump"), (_READ, _BUS, _BEYOND, _BEYOND)),
        (_with_text_before(), ("6.1.0",) * 4),
        (_with_text_before(_BITMAP_END), ("6.1.0",) * 4),
        (_with_text_before(_BITMAP_END - 1), (_READ, "6.1.0", _BEYOND, _BEYOND)),
        (_with_text_before(_BITMAP_END - 4095), (_READ, "6.1.0", _BEYOND, _BEYOND)),
        (_with_text_before(_BITMAP_END - 4096), (_READ, _BUS, _BEYOND, _BEYOND)),
        (_with_text_before(8192), (_READ, _BUS, _BEYOND, _BEYOND)),
        (_with_text_before(sub_hdr_size=-3), (_SEEK, _MAP, _MAP, _MAP)),
    ],
)
def test_a_bitmap_that_is_not_whole(data: bytes, words: tuple[str, ...]) -> None:
    verdicts = _judged(data)
    assert tuple(verdict.says for verdict in verdicts) == words
    assert [verdict.accepts for verdict in verdicts] == ["6.1.0" in each for each in words]
    assert {verdict.stage for verdict in verdicts if not verdict.accepts} <= {"before"}


@pytest.mark.parametrize(
    ("machine", "accepts"),
    [
        (b"aarch64", [False, False, False, False]),
        (b"riscv64", [True, True, False, False]),
        (b"loongarch64", [True, True, False, False]),
        (b"sparc64", [True, True, True, True]),
    ],
)
def test_a_name_of_another_machine(machine: bytes, accepts: list[bool]) -> None:
    verdicts = _judged(kdump(machine=machine))
    assert [verdict.accepts for verdict in verdicts] == accepts
    assert {verdict.says for verdict in verdicts} <= {"6.1.0", "WARNING: machine type mismatch:"}


def test_a_header_of_32_bits_ends_in_the_words_of_each_version() -> None:
    verdicts = _judged(narrow())
    assert [verdict.fired[0].rule.cause for verdict in verdicts] == ["C12"] * 4
    assert [verdict.says for verdict in verdicts] == ["unknown", _MAP, _MAP, _MAP]


def test_a_bitmap_that_only_older_versions_can_read_is_not_known() -> None:
    verdicts = _judged(_with_text_before(bitmap_blocks=0))
    assert [verdict.accepts for verdict in verdicts] == [None, False, False, False]


def test_one_program_header_by_section_0() -> None:
    verdicts = _judged(version_example("crash-902-pn-xnum.elf"))
    assert [verdict.accepts for verdict in verdicts] == [False, False, False, None]
    assert verdicts[1].says == "FILE: ELF header read: No such file or directory"


def test_a_file_of_less_than_176_bytes() -> None:
    verdicts = _judged(b"\x7fELF".ljust(175, b"\0"))
    assert [verdict.says for verdict in verdicts] == [
        "FILE: ELF header read: No such file or directory",
        *("FILE: file too small!",) * 3,
    ]
