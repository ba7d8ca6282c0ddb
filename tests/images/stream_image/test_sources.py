"""Streams that QEMU wrote (tests/data/streams): what they hold, as their manifest says."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from struct import pack
from typing import Any

import pytest

from tests.images.qemu_stream.written import HEAD, PAGE, configuration, footer, plain, ram, sizes
from tests.paths import DATA
from tests.zstd import zstd
from vmci_tui.images.guest_image import GuestImage, ImageChoice
from vmci_tui.images.qemu_stream.walk import begin, step
from vmci_tui.images.stream_image.addresses import CLOCK, CMOS, layouts
from vmci_tui.images.stream_image.choose import decide
from vmci_tui.images.stream_image.entry import entry_of
from vmci_tui.images.stream_image.open_stream import open_stream
from vmci_tui.images.stream_image.stream import read_stream
from vmci_tui.images.stream_image.stream_memory import StreamMemory
from vmci_tui.layers.file import BytesSource

_FOLDER = DATA / "streams"
_MORE = os.environ.get("VMCI_STREAMS", "")
"""A folder with more streams, packed by zstd, and their manifest.json."""


def _manifest(folder: Path) -> dict[str, Any]:
    listed: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return listed


def _cases(key: str = "machine") -> list[Any]:
    """The streams whose manifest says something of `key`; those of other folders are long."""
    folders = {_FOLDER: (), **({Path(_MORE): (pytest.mark.long,)} if _MORE else {})}
    return [
        pytest.param((folder, name), id=f"{folder.name}-{name}", marks=marks)
        for folder, marks in folders.items()
        for name, wanted in sorted(_manifest(folder).items())
        if name.endswith(".qevm") and key in wanted
    ]


Case = tuple[BytesSource, dict[str, Any]]


@pytest.fixture(scope="module", params=_cases())
def case(request: pytest.FixtureRequest) -> Case:
    return _case(*request.param)


@pytest.fixture(scope="module", params=_cases("memory"))
def case_with_memory(request: pytest.FixtureRequest) -> Case:
    return _case(*request.param)


def _case(folder: Path, name: str) -> Case:
    return BytesSource(zstd.decompress((folder / f"{name}.zst").read_bytes())), _manifest(folder)[name]


def _open(source: BytesSource) -> GuestImage:
    return open_stream(source, ImageChoice())


def test_the_head_is_read(case: Case) -> None:
    stream = _open(case[0]).stream
    assert stream is not None
    assert (stream.machine, list(stream.capabilities)) == (case[1]["machine"], case[1]["caps"])
    assert {block.name: block.length for block in stream.blocks} == case[1]["blocks"]
    assert stream.complete
    assert stream.cpus == len(case[1]["cpus"])


def test_the_entry_is_that_of_the_guest(case: Case) -> None:
    history, wanted = _open(case[0]).entry, case[1].get("entry")
    assert (history is None) == (wanted is None)
    if history is not None:
        assert {**history.entry._asdict(), "present": history.present} == wanted


def test_every_record_is_counted(case: Case) -> None:
    walk, cursor = begin(case[0])
    while step(walk, cursor):
        pass
    wanted, counts = case[1]["ram_records"], walk.ram.counts
    assert counts.filled == wanted.get("zero", 0)
    assert (counts.plain, counts.again) == (wanted.get("page", 0), wanted.get("again", 0))
    assert (counts.compressed, counts.changed) == (wanted.get("compressed", 0), wanted.get("xbzrle", 0))
    assert len(walk.sections) + len(walk.started) == case[1]["sections"]
    assert cursor.at == case[0].size


def test_memory_is_that_of_the_guest(case_with_memory: Case) -> None:
    image = _open(case_with_memory[0])
    assert [(item.paddr, item.length) for item in image.memory.ranges] == _placed(case_with_memory[1])
    digest = sha256()
    for item in image.memory.ranges:
        if item.end != 1 << 32:  # the firmware is not in the sum
            assert item.offset is not None
            digest.update(pack("<QQ", item.paddr, item.length))
            for at in range(0, item.length, 1 << 20):
                digest.update(image.source.read(item.offset + at, min(1 << 20, item.length - at)))
    assert digest.hexdigest() == case_with_memory[1]["memory_sha256_without_rom"]


def _placed(wanted: dict[str, Any]) -> list[tuple[int, int]]:
    return sorted((item["paddr"], item["length"]) for item in wanted["memory"])


def test_unequal_blocks_without_a_proof_get_no_address() -> None:
    """Their order is not in the stream, and this machine was never booted."""
    image = _of("numa-unequal-7.2.qevm")
    assert image.stream is not None
    assert {block.name: block.paddr for block in image.stream.blocks if block.name in ("big", "small")} == {
        "big": None,
        "small": None,
    }
    assert "big" in image.missing
    assert "small" in image.missing


def test_a_dimm_gets_no_address_and_is_named() -> None:
    image = _of("pc-dimm-7.2.qevm")
    assert image.stream is not None
    assert {block.name: block.paddr for block in image.stream.blocks if block.name in ("pc.ram", "d1")} == {
        "pc.ram": 0,
        "d1": None,
    }
    assert "d1" in image.missing
    assert image.memory.range_at(0x1_0000_0000) is None


def _of(name: str) -> GuestImage:
    return _open(_case(_FOLDER, name)[0])


@pytest.fixture(scope="module", params=_cases("notes_sha256"))
def case_with_notes(request: pytest.FixtureRequest) -> Case:
    return _case(*request.param)


def test_the_notes_of_cpus_are_those_of_qemus_dump(case_with_notes: Case) -> None:
    source, wanted = case_with_notes
    image = _open(source)
    assert sha256(b"".join(note.raw for note in image.notes)).hexdigest() == wanted["notes_sha256"]
    assert not image.doubts


def test_the_user_may_say_the_order_of_blocks() -> None:
    """The marks that were put into this machine's memory are at these addresses."""
    image = open_stream(_case(_FOLDER, "numa-unequal-7.2.qevm")[0], ImageChoice(blocks=("small", "big")))
    for paddr in (0x200000, 0x2200000, 0x5F00000):
        assert f"MARK{paddr:#x}".encode() in image.memory.read(image.source, paddr, 32)
    assert image.missing == ""


def test_the_proved_note_decides_the_order_of_blocks() -> None:
    """The memory of a real guest as two blocks of unequal sizes, of which the stream lists the larger one first."""
    whole = _case(_FOLDER, "pc-7.2.qevm")[0]
    memory, data = read_stream(whole).memory, whole.read(0, whole.size)
    small, large = 64 << 20, 128 << 20
    pages = {at: memory.read(at, PAGE) for at in _data_pages(memory)}
    first = b"".join(plain(at, page, "m0") for at, page in pages.items() if at < small)
    second = b"".join(plain(at - small, page, "m1") for at, page in pages.items() if at >= small)
    devices = data[data.index(footer(2) + b"\4", 10_000) + 5 :]
    sections = ram(1, sizes([("m1", large), ("m0", small)])) + ram(2, second + first) + ram(3, b"") + devices
    stream = read_stream(BytesSource(HEAD + configuration("pc-q35-7.2") + sections))
    possible = layouts("pc-q35-7.2", stream.blocks, stream.state(CLOCK, CMOS))
    assert [[stream.blocks[item.block].name for item in layout.placed] for layout in possible] == [
        ["m1", "m0"],
        ["m0", "m1", "m1"],
    ]
    history = entry_of(stream.state("vmcoreinfo", 17))
    assert decide(possible, stream.memory, history) == possible[1]
    assert decide(possible, stream.memory, None).placed == ()


def _data_pages(memory: StreamMemory) -> Iterator[int]:
    """Yield the pages of the first block that are not zeros."""
    for start, end in memory.data_ranges(0, 192 << 20):
        yield from range(start, end, PAGE)


def test_a_stream_says_which_cpus_wait() -> None:
    waiting = {
        name: open_stream(_case(_FOLDER, name)[0], ImageChoice()).halted for name in ("pc-7.2.qevm", "arm64-7.2.qevm")
    }
    assert waiting == {"pc-7.2.qevm": {0, 1}, "arm64-7.2.qevm": frozenset()}
