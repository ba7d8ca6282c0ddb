"""crash as a reader: which rule decides, with which words; `tests/real/agreement` holds it to the program."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest

from tests.dumps.factory import AARCH64, I386, TEXT_64, Load, cpus, elf, note, ram
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers.crash import READER
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Verdict, judge

_GOOD = cpus() + note()
_POINTER = "WARNING: Elf64_Nhdr pointer: ADDRESS  ELF header end: ADDRESS"


def _id(value: object) -> str:
    """Return an id without the dump: megabytes of it would reach the environment of the test's processes."""
    return value if isinstance(value, str) else "-"


def verdict(data: bytes) -> Verdict:
    return judge(READER, View(BytesSource(data)))


def with_text(text: bytes, behind: bytes = bytes(4)) -> Verdict:
    return verdict(elf([cpus() + note(text) + behind]))


def put(data: bytes, offset: int, form: str, value: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into(form, changed, offset, value)
    return bytes(changed)


def decided(data: bytes) -> tuple[bool | None, str | None, str, str]:
    """(accepts, stage, rule, words) of the first rule that refuses."""
    seen = verdict(data)
    assert seen.osrelease is None
    first = next(fired for fired in seen.fired if fired.rule.refuses)
    return seen.accepts, seen.stage, first.rule.name, seen.says


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"qemu": True},
        {"phentsize": 0},
        {"ehsize": 8},
        {"sections": [b"abcd"]},
        {"p_align": 4096},
        {"loads": [Load(0, ram())] * 300},
    ],
)
def test_reads_the_release(how: dict[str, Any]) -> None:
    seen = verdict(elf([_GOOD], **how))
    assert (seen.accepts, seen.osrelease, seen.says, seen.stage) == (True, "6.1.0-test", "6.1.0-test", None)
    assert seen.text == TEXT_64 and seen.fired == ()
    assert seen.note is not None and seen.note.length == len(note())


@pytest.mark.parametrize(
    ("data", "rule", "words"),
    [
        (b"", "too-small", "FILE: file too small!"),
        (elf([_GOOD])[:175], "too-small", "FILE: file too small!"),
        (bytes(4096), "identification", "unknown"),
        (put(elf([_GOOD]), 6, "B", 2), "identification", "unknown"),
        (elf([_GOOD], type=2), "not-core", "unknown"),
        (elf([_GOOD], version=0), "version", "unknown"),
        (elf([_GOOD], phnum=1), "too-few-headers", "unknown"),
        (elf([_GOOD], machine=AARCH64), "other-machine", "unknown"),
        (elf([_GOOD], bits=32, machine=I386), "other-machine", "unknown"),
        (elf([cpus(order="big") + note(order="big")], order="big"), "other-byte-order", "unknown"),
        (elf([_GOOD], phoff=193), "far-headers", "WARNING: FILE: PHdr to far into file!"),
        (elf([_GOOD], gap=4096 - 176 - len(_GOOD), p_align=4096), "netdump", "unknown"),
        (elf([_GOOD], phnum=5000), "headers-cut-off", "FILE: ELF header read: No such file or directory"),
        (put(elf([_GOOD]), 128, "<Q", 0), "memory-at-0", "realloc: No such file or directory"),
        (elf([_GOOD])[:300], "memory-out-of-reach", "FILE: ELF header read: No such file or directory"),
        (put(elf([_GOOD]), 128, "<Q", (1 << 64) - 1), "memory-out-of-reach", "realloc: Cannot allocate memory"),
        (
            put(elf([_GOOD]), 128, "<Q", 100),
            "headers-behind-memory",
            "crash: Elf64_Phdr pointer: ADDRESS  ELF header end: ADDRESS",
        ),
    ],
    ids=_id,
)
def test_a_head_that_it_refuses(data: bytes, rule: str, words: str) -> None:
    assert decided(data) == (False, "before", rule, words)


def counted(number: int, size: int = 64, **how: Any) -> bytes:
    """A dump in QEMU's layout, with the number of program headers in section 0."""
    return put(elf([_GOOD], qemu=True, **({"phnum": 0xFFFF, "shentsize": size} | how)), 64 + 44, "<I", number)


def test_the_number_of_headers_in_section_0() -> None:
    assert verdict(counted(2)).accepts
    assert verdict(counted(3, size=45)).accepts
    assert decided(counted(0))[2:] == ("no-count", "killed by SIGSEGV")
    assert decided(counted(2, size=44))[2:] == ("no-count", "killed by SIGSEGV")
    assert decided(counted(2, size=80))[2:] == ("long-section-0", "killed by SIGABRT")
    assert decided(counted(9999))[2] == "headers-cut-off"
    assert decided(counted(2, shoff=1 << 40))[2] == "no-section-0"


@pytest.mark.parametrize(
    ("data", "rule", "words"),
    [
        (elf([cpus()]), "no-note", "unknown"),
        (elf([_GOOD], note_first=False), "notes-not-first", _POINTER),
        (elf([_GOOD], notes_behind=True), "notes-behind-memory", _POINTER),
        (elf([cpus(), note()]), "other-pt-note", "unknown"),
        (elf([cpus() + note(kind=1)]), "type-of-its-own", "unknown"),
        (elf([cpus() + note(name=b"VMCOREINFO_XEN\0")]), "xen", "unknown"),
        (elf([cpus() + note(name=b"VMCOREINF\0")]), "no-note", "unknown"),
        (
            elf([cpus() + bytes(4) + note()]),
            "lost-in-zeros",
            "WARNING: possibly corrupt Elf64_Nhdr: n_namesz: 0 n_descsz: 11 n_type: fe",
        ),
        (
            elf([cpus() + note(descsz=9999)]),
            "broken-note",
            "WARNING: possibly corrupt Elf64_Nhdr: n_namesz: 11 n_descsz: 9999 n_type: 0",
        ),
        (
            elf([cpus() + note(order="big")]),
            "header-in-other-byte-order",
            "WARNING: possibly corrupt Elf64_Nhdr: n_namesz: 184549376 n_descsz: 4261412864 n_type: 0",
        ),
        (elf([note() + note(b"", b"x" * 1514)]), "killed", "*** stack smashing detected ***: terminated"),
        (elf([note() + note(b"", b"x" * 70_000)]), "killed", "killed by SIGSEGV"),
        (elf([note() + note(b"", b"Xen\0", 0x1000001)]), "killed", "killed by SIGSEGV"),
        (put(elf([_GOOD]), 72, "<Q", (1 << 64) - (1 << 24)), "notes-before-file", "killed by SIGSEGV"),
    ],
    ids=_id,
)
def test_a_note_that_it_does_not_find(data: bytes, rule: str, words: str) -> None:
    assert decided(data) == (False, "note", rule, words)


@pytest.mark.parametrize(
    "name", [b"VMCOREINFO", b"VMCOREINFO\0abc", b"VMCOREINFO-of-mine\0", b"VMCOREINFO".ljust(1513, b"\0")]
)
@pytest.mark.parametrize("kind", [0, 5, 0x1234])
def test_the_name_counts_by_its_start(name: bytes, kind: int) -> None:
    assert verdict(elf([cpus() + note(name=name, kind=kind)])).accepts


def test_twelve_zero_bytes_are_a_note() -> None:
    seen = verdict(elf([bytes(12 * 5000) + _GOOD + bytes(12)]))
    assert seen.accepts and [fired.rule.name for fired in seen.fired] == ["complains"]
    assert seen.fired[0].words == "WARNING: possibly corrupt Elf64_Nhdr: n_namesz: 0 n_descsz: 0 n_type: 0"
    assert decided(elf([cpus() + bytes(12)]))[2] == "no-note"


def test_of_several_notes_the_last_counts() -> None:
    two = verdict(elf([note() + note(b"OSRELEASE=2\n")]))
    assert (two.osrelease, two.fired[0].rule.cause) == ("2", "N05")
    assert verdict(elf([note() + note(b"OSRELEASE=2\n", kind=1)])).osrelease == "6.1.0-test"
    assert decided(elf([note() + note(b"")]))[2] == "empty-text"


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        (b"", "empty-text", "unknown"),
        (b"PAGEDU64" + bytes(100), "windows", "unknown"),
        (b"PAGESIZE=4096\nXOSRELEASE=6.1.0\n", "no-release", "unknown"),
        (b"OSRELEASE=\n", "empty-release", ""),
        (b"OSRELEASE=\x006.1.0\n", "empty-release", ""),
        (b"OSRELEASE=unknown\n", "release-unknown", "unknown"),
    ],
)
def test_a_text_that_it_refuses(text: bytes, rule: str, words: str) -> None:
    assert decided(elf([cpus() + note(text) + bytes(12)])) == (False, "after", rule, words)


def test_a_dump_of_snap_has_no_text() -> None:
    assert decided(elf([_GOOD + note(bytes(16), b"SNAP\0", 4)])) == (False, "after", "snap", "unknown")


@pytest.mark.parametrize(
    ("text", "release"),
    [
        (b"A=1\nOSRELEASE=1\nOSRELEASE=2\n", "1"),
        (b"A=\0\nOSRELEASE=1\0.2\n", "1"),
        (b"OSRELEASE=1\r\n", "1\\x0d"),
        (b"OSRELEASE=1\\\xff\n", "1\\\\\\xff"),
        (b"OSRELEASE=12", "12"),
        (b"OSRELEASE=1", "1"),
    ],
)
def test_the_release_as_it_prints_it(text: bytes, release: str) -> None:
    seen = with_text(text)
    assert (seen.accepts, seen.osrelease, seen.says) == (True, release, release)


def test_a_last_line_without_newline_gets_the_next_byte() -> None:
    seen = with_text(b"OSRELEASE=12", behind=note(b"", b"X\0"))
    assert seen.osrelease == "12\\x02"
    assert [fired.rule.name for fired in seen.fired] == ["one-byte-too-many"]
    # After the headers come the bytes that happen to be in the program's memory.
    assert with_text(b"OSRELEASE=123456", behind=b"").osrelease == "1234561"


def test_what_it_reads_otherwise_is_told() -> None:
    def names(text: bytes) -> list[str]:
        return [fired.rule.name for fired in with_text(TEXT_64 + text).fired]

    assert names(b"PAGESIZE=1\n") == ["duplicates"]
    assert names(b"MINE=1\nMINE=2\n") == []
    assert names(b"MINE=1\r\n") == ["carriage-returns"]
    assert names(b"SYMBOL(_stext)=ffffffff82000000\n") == []
    assert names(b"SYMBOL(_stext)=ffffffff83000000\n") == ["offset-by-stext"]


@pytest.mark.parametrize(
    ("line", "number", "problem"),
    [
        (b"NUMBER(phys_base)=-4096", -4096, ""),
        (b"NUMBER(phys_base)=0x1000", -1, "not only decimal digits: read as -1"),
        (b"NUMBER(sme_mask)= 010", 10, ""),
        (b"NUMBER(sme_mask)=", -1, "not only decimal digits: read as -1"),
        (b"NUMBER(pgtable_l5_enabled)=1x", 1, "characters after the number are ignored"),
        (b"NUMBER(pgtable_l5_enabled)=4294967297", 1, ""),
        (b"NUMBER(VA_BITS)=x", 0, "not a number: read as 0"),
        (b"NUMBER(MODULES_END)=010", 8, ""),
        (b"NUMBER(MODULES_END)=0x10", 16, ""),
        (b"SYMBOL(_stext)=0x10h", 16, ""),
        (b"SYMBOL(_stext)=10 ", (1 << 64) - 1, "not a hexadecimal number: read as -1"),
        (b"SYMBOL(_stext)=00000000000000010", (1 << 64) - 1, "not a hexadecimal number: read as -1"),
        (b"KERNELOFFSET=junk", None, ""),
    ],
)
def test_how_it_reads_a_value(line: bytes, number: int | None, problem: str) -> None:
    value = with_text(b"OSRELEASE=6.1.0\n" + line + b"\n").values()[line.partition(b"=")[0]]
    assert (value.number, value.problem) == (number, problem)


def test_the_release_that_a_session_wants() -> None:
    assert with_text(b"OSRELEASE=6.1.0-rc1\n").values()[b"OSRELEASE"].problem == ""
    assert "not a.b.c" in with_text(b"OSRELEASE=6.1\n").values()[b"OSRELEASE"].problem


def test_a_text_of_another_machine_is_still_followed() -> None:
    """This build refuses the dump; the values are those that a build for that machine reads."""
    for order in ("little", "big"):
        seen = verdict(elf([cpus(order=order) + note(order=order)], order=order, machine=AARCH64))
        assert seen.accepts is False and seen.values()[b"PAGESIZE"].number == 4096
    assert verdict(elf([_GOOD], bits=32, machine=I386)).text == TEXT_64


def test_no_bytes_make_it_fail() -> None:
    rng = random.Random(4)
    whole = elf([_GOOD], qemu=True)
    for _ in range(300):
        data = bytearray(whole[: rng.choice((len(whole), rng.randrange(len(whole))))])
        for _ in range(rng.randrange(1, 12)):
            if data:
                data[rng.randrange(min(len(data), 400))] = rng.choice((0, 1, 255, rng.randrange(256)))
        seen = verdict(bytes(data))
        seen.values()
        assert all(fired.span is None or fired.span.length >= 0 for fired in seen.fired)
