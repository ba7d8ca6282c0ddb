"""Test opening ELF dumps, with pyelftools as the independent oracle."""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any, Literal

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import NoteSegment

from tests.dumps import factory
from tests.dumps.factory import AARCH64, ARM, I386, PPC64, S390, X86_64, Load, cpus, elf, note, ram
from tests.dumps.records import Bits
from tests.kit import elf_of, found, opened
from tests.limits import time_limit
from vmci_tui.common.errors import OpenError
from vmci_tui.containers import open_dump
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.elf_records import format_of
from vmci_tui.layers.file import BytesSource
from vmci_tui.layers.range_table import Range

_BOTH = note(factory.TEXT_64)
_KINDS = {
    "classic": elf((cpus() + _BOTH,)),
    "qemu": elf((cpus() + _BOTH,), qemu=True),
    "32 bit": elf((cpus() + note(factory.TEXT_32),), bits=32, machine=I386, qemu=True),
    "arm": elf((cpus() + note(factory.TEXT_32),), bits=32, machine=ARM),
    "big-endian": elf((cpus(order="big") + note(order="big"),), order="big", machine=S390, qemu=True),
    "32 bit big-endian": elf((cpus(order="big") + note(order="big"),), bits=32, order="big", machine=20),
    "many cpus": elf((cpus(300) + _BOTH,), qemu=True),
    "no note": elf((), (Load(0, ram()),)),
    "several PT_NOTE": elf((cpus(), _BOTH, note(b"x=1\n", b"OTHER\0"))),
    "PT_NOTE last, notes behind": elf((cpus() + _BOTH,), note_first=False, notes_behind=True),
    "no bytes": elf((cpus() + _BOTH,), (Load(0, b"", 1 << 30), Load(1 << 30, ram(), 1 << 30))),
    "no memory": elf((cpus() + _BOTH,), ()),
    "sections": elf((cpus(order="big"),), order="big", machine=S390, qemu=True, sections=(b"tweak" * 9, bytes(64))),
    "a gap": elf((cpus() + _BOTH,), gap=12345),
    "overlapping": elf((cpus(),), (Load(0, ram()), Load(0, at=0, vaddr=0xC0000000), Load(0, at=0, vaddr=1 << 20))),
    "window": elf((cpus() + _BOTH,), (Load(0x19C7EDD, ram(9029)),), qemu=True),
}  # fmt: skip


@pytest.fixture(params=_KINDS)
def data(request: pytest.FixtureRequest) -> bytes:
    return _KINDS[request.param]


def test_headers_notes_and_memory_agree_with_pyelftools(data: bytes) -> None:
    dump, oracle = elf_of(data), ELFFile(io.BytesIO(data))
    assert dump.bits == oracle.elfclass and (dump.order == "little") == oracle.little_endian
    segments = list(oracle.iter_segments())
    assert [s.offset for s in dump.segments] == [s["p_offset"] for s in segments]
    theirs = [
        (n["n_offset"], n["n_descsz"], n["n_size"], n["n_name"])
        for s in segments if isinstance(s, NoteSegment) for n in s.iter_notes()
    ]  # fmt: skip
    ours = [
        (at, n.descsz, len(n.raw), n.name.rstrip(b"\0").decode())
        for at, n in zip(dump.note_offsets, dump.notes, strict=True)
    ]
    assert ours == theirs
    for note_, at in zip(dump.notes, dump.note_offsets, strict=True):
        assert data[at : at + len(note_.raw)] == note_.raw
    for segment in segments:
        if segment["p_type"] == "PT_LOAD":
            body = segment.data()
            assert dump.memory.read(dump.source, segment["p_paddr"], len(body)) == body


def test_pn_xnum_with_66000_headers() -> None:
    page = ram(4096)
    loads = [Load(0, page)] + [Load(0, at=0, vaddr=0xFFFF << 40 | n << 12) for n in range(65_999)]
    for qemu in (False, True):
        dump = elf_of(elf((cpus() + _BOTH,), loads, qemu=qemu))
        assert dump.header.phnum == 0xFFFF and len(dump.segments) == 66_001
        assert dump.memory.ranges[0][:2] == (0, 4096) and len(dump.memory.ranges) == 1


def test_pn_xnum_over_many_ranges() -> None:
    loads = [Load(n << 13, b"", 4096) for n in range(66_000)]
    dump = elf_of(elf((cpus() + _BOTH,), loads, qemu=True))
    assert len(dump.memory.ranges) == 66_000 and dump.memory.size == 0


@pytest.mark.parametrize(
    ("machine", "bits", "name"),
    [
        (X86_64, 64, "x86_64"), (I386, 32, "i386"), (I386, 64, "i386"), (ARM, 32, "arm"), (AARCH64, 64, "aarch64"),
        (S390, 64, "s390x"), (S390, 32, "s390"), (PPC64, 64, "ppc64"), (243, 64, "riscv64"), (243, 32, "riscv32"),
        (258, 64, "loongarch64"), (8, 32, "mips"), (8, 64, "mips64"), (0xFEED, 64, "em_65261"), (0, 64, None),
    ],
)  # fmt: skip
def test_any_machine_has_a_name(machine: int, bits: Bits, name: str | None) -> None:
    assert elf_of(elf(bits=bits, machine=machine)).machine == name


@pytest.mark.parametrize(("qemu", "bits", "order"), itertools.product((0, 1), (32, 64), ("little", "big")))
def test_cut_headers_are_one_line_and_whole_ones_open(qemu: int, bits: Bits, order: str) -> None:
    data = elf((cpus(order=order) + note(order=order),), bits=bits, order=order, qemu=bool(qemu))  # type: ignore[arg-type]
    opens_from = None
    for length in range(4, len(data)):
        try:
            open_dump(BytesSource(data[:length]))
            opens_from = opens_from or length
        except OpenError as error:
            assert opens_from is None, "once the head is whole, it opens"
            assert "\n" not in str(error) and "cut off" in str(error)
    head = {32: 52 + 2 * 32 + 80 * qemu, 64: 64 + 2 * 56 + 128 * qemu}
    assert opens_from == head[bits]


def test_a_cut_dump_opens_and_is_reported() -> None:
    data = elf((cpus() + _BOTH,))
    assert "C02" in found(opened(data[:-1])) and "C02" not in found(opened(data))
    inside_the_note = opened(data[: 64 + 112 + 900])
    broken = inside_the_note.state.notes[-1].broken
    assert broken is not None and "N02" in found(inside_the_note)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"type": 1}, "an object file, not a dump"),
        ({"type": 2}, "a program or vmlinux"),
        ({"type": 3}, "a shared library"),
        ({"phnum": 0xFFFE}, "cut off"),
        ({"phoff": 1 << 63}, "cut off"),
    ],
)
def test_another_elf_file_is_named(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(OpenError, match=words):
        elf_of(elf(**changed))


@pytest.mark.parametrize(("at", "value"), [(4, 0), (4, 3), (5, 0), (5, 9)])
def test_an_invalid_class_or_byte_order_is_reported(at: int, value: int) -> None:
    data = bytearray(elf())
    data[at] = value
    with pytest.raises(OpenError, match="EI_CLASS"):
        elf_of(bytes(data))


def test_the_core_of_a_process_is_named() -> None:
    with pytest.raises(OpenError, match="core of a process"):
        elf_of(elf((note(bytes(32), b"CORE\0", 6),), (Load(0, ram(), vaddr=0x400000),)))
    elf_of(elf((note(bytes(32), b"CORE\0", 6),), (Load(0x1000, ram(), vaddr=0x400000),)))
    elf_of(elf((note(bytes(32), b"CORE\0", 6) + note(),)))


@pytest.mark.parametrize("value", [0, 1, 40, 57, 128])
def test_a_wrong_phentsize_is_followed_or_ignored_and_reported(value: int) -> None:
    loads = [Load(n << 20, ram(64)) for n in range(8)]
    document = opened(elf((cpus() + _BOTH,), loads, phentsize=value))
    assert "C05" in found(document)


def test_a_huge_sparse_dump_opens_as_fast_as_a_small_one(tmp_path: Path) -> None:
    from tests.opened_files import open_document

    path = tmp_path / "huge.elf"
    path.write_bytes(elf((cpus() + _BOTH,), (Load(0, b"x", 1 << 40),)))
    with path.open("r+b") as file:
        start = bytearray(file.read(176))
        start[152:160] = (1 << 40).to_bytes(8, "little")  # p_filesz
        file.seek(0)
        file.write(start)
        file.truncate(1 << 40 | 1 << 20)
    with time_limit(0.5):
        document = open_document(str(path))
    assert document.layout.memory.ranges[:] == (Range(0, 1 << 40, document.layout.memory.ranges[0].offset),)


@pytest.mark.parametrize(("bits", "order"), [(64, "little"), (32, "little"), (64, "big")])
def test_a_xen_core_is_named(bits: Literal[32, 64], order: ByteOrder) -> None:
    """A file of `xl dump-core` has no program headers; its memory is in .xen_pages."""
    form = format_of(bits, order)
    names = b"\0.shstrtab\0.note.Xen\0.xen_pages\0.xen_pfn\0"
    size = form.header.size + 16
    table = size + len(names)
    sections = [form.section.pack(*[0] * 10), form.section.pack(1, 3, 0, 0, size, len(names), 0, 0, 0, 0)]
    sections += [form.section.pack(21, 1, 0, 0, table + 256, 4096, 0, 0, 0, 4096)]
    header = form.header.pack(4, 62, 1, 0, 0, table, 0, size, 0, 0, form.section.size, len(sections), 1)
    ident = b"\x7fELF" + bytes((bits // 32, 1 if order == "little" else 2, 1)) + bytes(9)
    data = (ident + header + names + b"".join(sections)).ljust(table + 256, b"\0") + bytes(4096)
    with pytest.raises(OpenError, match=r"a Xen core .*\.xen_pages") as error:
        opened(data)
    assert "leave it unchanged" in error.value.hint
    assert opened(data.replace(b".xen_pages", b".zen_pages")).dump is not None
