"""Test small kdump files of a real QEMU against values that other programs read from them."""

from __future__ import annotations

import gzip
import hashlib

import pytest

from tests.paths import DATA, SAMPLES
from vmci_tui.containers import open_dump
from vmci_tui.containers.guest import guest_of
from vmci_tui.containers.kdump.dump import KdumpDump
from vmci_tui.document import edit_notes
from vmci_tui.document.state import State
from vmci_tui.layers.file import BytesSource

_DATA = DATA / "kdump"
_FILES = sorted(path.name for path in _DATA.iterdir())


def _open(name: str) -> KdumpDump:
    dump = open_dump(BytesSource(gzip.decompress((_DATA / name).read_bytes())))
    assert isinstance(dump, KdumpDump)
    return dump


_KNOWN = {
    "x86_64-kaslr.kdump.gz": ("flattened", 64, "x86_64", 4096, b"x86_64", 0x884998144, 147456),
    "i386-packed.kdump.gz": ("kdump", 32, "i386", 4096, b"Unknown", 0, 1966080),
    "i386-flattened.kdump.gz": ("flattened", 32, "i386", 4096, b"i686", 0, 2097152),
    "arm64-flattened.kdump.gz": ("flattened", 64, "aarch64", 65536, b"Unknown", 0xFFFFB2A240000000, 2097152),
}


@pytest.mark.parametrize("name", _FILES)
def test_values_of_the_headers(name: str) -> None:
    dump, (container, bits, machine, block, uts, phys_base, memory) = _open(name), _KNOWN[name]
    assert (dump.container, dump.bits, dump.machine, dump.doubts) == (container, bits, machine, ())
    assert (dump.header.block_size, dump.header.header.utsname[4]) == (block, uts)
    assert (dump.header.phys_base, dump.guest_memory.size) == (phys_base, memory)
    note = State(notes=dump.notes).note
    assert note is not None and dump.header.vmcoreinfo[1] == note.descsz
    assert all(guest_of(dump).read(item.paddr, item.length) for item in dump.guest_memory.ranges)


def test_memory_agrees_with_drgn() -> None:
    """sha256 of all of memory, read with drgn's libkdumpfile."""
    dump = _open("i386-flattened.kdump.gz")
    data = guest_of(dump).read(0, 2 << 20)
    assert data is not None
    assert hashlib.sha256(data).hexdigest() == "c2f9bd32219960b605ac41037753b9848aa0f3d5a739fdbd5a2bd58662f4b1f6"
    dump = _open("i386-packed.kdump.gz")
    parts = [guest_of(dump).read(item.paddr, item.length) or b"" for item in dump.guest_memory.ranges]
    assert hashlib.sha256(b"".join(parts)).hexdigest() == (
        "5d92195abd942b99d67c84ae7530189e4b283baf80f69d67590999fcdc5f2e65"
    )


@pytest.mark.parametrize("name", _FILES)
def test_appending_the_same_text_changes_only_the_pointers(name: str) -> None:
    dump = _open(name)
    state = State(notes=dump.notes, header=dump.header_fields)
    assert state.note is not None
    again = edit_notes.append_note(state, state.note, dump.order)
    layout = dump.layout(again.of_dump)
    assert layout.image.read(dump.source, 0, layout.image.size) == dump.source.read(0, dump.source.size)
    assert layout.reasons == ()


def test_the_note_of_the_guest_is_in_its_memory() -> None:
    note = (SAMPLES / "i386flash.note").read_bytes()
    dump = _open("i386-flattened.kdump.gz")
    assert dump.notes[-1].raw == note
