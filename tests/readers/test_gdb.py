"""gdb as a reader: which rule decides, with which words; `tests/real/` holds it to the program."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from tests.dumps.factory import Load, cpus, elf, note
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers.file_view import View
from vmci_tui.readers.gdb import READER
from vmci_tui.readers.rule import Verdict, judge

_GOOD = cpus() + note()


def verdict(data: bytes) -> Verdict:
    return judge(READER, View(BytesSource(data)))


def decisive(data: bytes) -> str | None:
    fired = verdict(data).decisive
    return None if fired is None else fired.rule.name


def noted(area: bytes, **how: Any) -> bytes:
    return elf([area], **how)


def cpu(number: int, length: int = 336, at: int = 32) -> bytes:
    """Return the note of a CPU with this number at `at` of its descriptor."""
    desc = bytes(at) + struct.pack("<I", number) + bytes(length - at - 4)
    return struct.pack("<III", 5, length, 1) + b"CORE\0\0\0\0" + desc


@pytest.mark.parametrize("qemu", [False, True])
@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("bits", [32, 64])
def test_opens_cores_of_every_class_and_order(bits: Any, order: Any, qemu: bool) -> None:
    seen = verdict(elf([cpus(2, order) + note(order=order)], bits=bits, order=order, qemu=qemu, machine=8))
    assert (seen.accepts, seen.osrelease, seen.note, seen.text) == (True, None, None, None)


@pytest.mark.parametrize(
    "how",
    [
        {"p_align": 4},
        {"notes_behind": True},
        {"note_first": False},
        {"version": 9},
        {"loads": [Load(0, b"x")] * 65_600},
    ],
)
def test_it_opens_files_that_others_refuse(how: dict[str, Any]) -> None:
    assert verdict(noted(_GOOD, **how)).accepts


def test_it_needs_no_vmcoreinfo() -> None:
    seen = verdict(noted(cpu(1) + cpu(2)))
    assert (seen.accepts, seen.says) == (True, "[New LWP 2]")


def test_without_a_cpu_note_it_shows_no_registers() -> None:
    assert verdict(noted(note())).says == "#0  <unavailable> in ?? ()"


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"KDUMP   " + bytes(5000), "another-container"),
        (b"\x7fELG" + noted(_GOOD)[4:], "magic"),
        (noted(_GOOD)[:60], "too-short"),
        (noted(_GOOD)[:4] + b"\3" + noted(_GOOD)[5:], "ident"),
        (noted(_GOOD)[:5] + b"\0" + noted(_GOOD)[6:], "ident"),
        (noted(_GOOD)[:5] + b"\2" + noted(_GOOD)[6:], "byte-order"),
        (noted(_GOOD, type=2), "type"),
        (noted(_GOOD, phoff=0), "no-headers"),
        (noted(_GOOD, phentsize=64), "entry-size"),
        (noted(_GOOD, phnum=0xFFFF, shoff=1 << 40, shentsize=64), "no-section"),
        (noted(_GOOD, phnum=5000), "table-cut"),
        (noted(_GOOD, loads=[])[:-8], "notes-cut"),
        (noted(_GOOD, p_align=16), "alignment"),
        (noted(cpu(1) + note(order="big")), "byte-swapped"),
        (noted(_GOOD[:-40]), "broken"),
        (noted(struct.pack("<III", 8, 4, 1) + b"FreeBSD\0abcd"), "other-system"),
        (noted(_GOOD)[:7] + b"\2" + noted(_GOOD)[8:], "system"),
        (noted(cpu(1) + cpu(2) + cpu(1)), "thread-twice"),
    ],
)
def test_each_rule_decides(data: bytes, rule: str) -> None:
    assert decisive(data) == rule


def test_the_last_note_may_lack_its_padding() -> None:
    text = b"OSRELEASE=6.1.0\n\n\n"
    assert verdict(noted(struct.pack("<III", 11, len(text), 0) + b"VMCOREINFO\0\0" + text)).accepts


def test_a_note_without_descriptor_may_lack_the_padding_of_its_name() -> None:
    assert verdict(noted(struct.pack("<III", 5, 0, 9) + b"CORE\0")).accepts


@pytest.mark.parametrize(
    ("machine", "length", "at", "numbers", "accepts"),
    [
        (62, 336, 32, (1, 2, 2), True),
        (62, 336, 32, (0, 1, 0), False),
        (183, 336, 32, (0, 1, 0), True),
        (183, 336, 32, (1, 0), False),
        (183, 392, 32, (1, 1), True),
        (62, 296, 24, (1, 1), False),
    ],
)
def test_threads_are_numbered_as_bfd_numbers_them(
    machine: int, length: int, at: int, numbers: tuple[int, ...], accepts: bool
) -> None:
    area = b"".join(cpu(number, length, at) for number in numbers)
    assert verdict(noted(area, machine=machine)).accepts is accepts


def test_older_and_newer_versions_differ() -> None:
    big = elf([note(order="big")], order="big", machine=62)
    first_twice, none_twice = noted(cpu(1) + cpu(1)), noted(cpu(0) + cpu(0))

    def judged(version: str) -> list[tuple[bool | None, str]]:
        verdicts = (judge(READER.at(version), View(BytesSource(data))) for data in (big, first_twice, none_twice))
        return [(verdict.accepts, verdict.says[:9]) for verdict in verdicts]

    assert [accepts for accepts, _ in judged("10.1")] == [False, False, False]
    assert [accepts for accepts, _ in judged("13.1")] == [True, False, False]
    assert judged("16.3")[1:] == judged("18.1")[1:] == [(False, "killed by"), (True, "[New LWP ")]
