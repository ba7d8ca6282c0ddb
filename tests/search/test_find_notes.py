"""Test which bytes of memory are a candidate, which a whole one, and which neither."""

from __future__ import annotations

import hashlib
import json
import random
import struct

import pytest

from tests.dumps.factory import S390, TEXT_64, X86_64, Load, elf, note
from tests.dumps.records import Order
from tests.kit import opened
from tests.opened_files import open_document
from tests.paths import DATA, SAMPLES
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.search import find_notes as finding
from vmci_tui.search import memory_blocks as scan
from vmci_tui.search import patterns as anchors
from vmci_tui.search.candidate import Candidate
from vmci_tui.search.find_notes import find
from vmci_tui.search.recognise import candidate_at

TRUTH = json.loads((DATA / "truth.json").read_text())["guests"]


def guest_with(*placed: tuple[int, bytes], machine: int = X86_64) -> Guest:
    """Return 1 MiB of memory at address 0: zeros, except the placed bytes."""
    memory = bytearray(1 << 20)
    for paddr, data in placed:
        memory[paddr : paddr + len(data)] = data
    dump = opened(
        elf(loads=[Load(0, bytes(memory))], machine=machine, order="big" if machine == S390 else "little")
    ).dump
    assert dump is not None
    return guest_of(dump)


def only(guest: Guest, everywhere: bool = False) -> Candidate:
    (item,) = find(guest, everywhere)
    return item


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("order", ["little", "big"])
def test_a_note_on_a_page_start(order: Order, everywhere: bool) -> None:
    data = note(order=order)
    item = only(guest_with((0x5000, data)), everywhere)
    assert (item.paddr, item.kind, item.raw, item.text, item.order, item.faults) == (
        0x5000, "note", data, TEXT_64, order, (),
    )  # fmt: skip
    assert item.note("big").desc == TEXT_64


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_text_on_a_page_start(everywhere: bool) -> None:
    guest = guest_with((0x5000, TEXT_64))
    item = only(guest, everywhere)
    assert (item.paddr, item.kind, item.raw, item.order, item.faults) == (0x5000, "text", TEXT_64, None, ())
    assert guest.source.read(item.offset or 0, 10) == TEXT_64[:10]


@pytest.mark.parametrize("data", [note(), TEXT_64])
def test_off_page_starts_only_a_search_of_every_byte_finds_it(data: bytes) -> None:
    guest = guest_with((0x5004, data))
    assert not list(find(guest))
    item = only(guest, everywhere=True)
    assert item.paddr == 0x5004 and item.faults == ("not at a page boundary",) and item.whole


@pytest.mark.parametrize(
    "data",
    [
        note(b"PAGEDU64" + bytes(8184)), note(b"PAGEDUMP" + bytes(4088)), note(b""), note(name=b"VMCOREINFO_XEN\0"),
        note(name=b"VMCOREINFO"), note(namesz=12), b"VMCOREINFO\0OSRELEASE=%s\n\0BUILD-ID=%20phN\n",
        b"OSRELEASE=%s\n\0PAGESIZE=%ld\n", note(b"OSRELEASE=%s\n"), note(b"BUILD-ID=1\n" + TEXT_64), b"OSRELEASE=",
        b"OSRELEASE=\n" + TEXT_64, b"OSRELEASE", note()[:20], note()[:40], b"OSRELEASE=" + b"A" * 70000,
    ],
)  # fmt: skip
def test_bytes_that_are_not_a_candidate(data: bytes) -> None:
    assert not list(find(guest_with((0x5000, data))))
    assert candidate_at(guest_with((0x5000, data)), 0x5000) is None


TEXT = TEXT_64


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (note(TEXT)[:200] + b"\xff" * 200, f"claims {len(TEXT)} bytes, 176 are text"),
        (note(TEXT, descsz=70000), "claims 70000 bytes, more than any page holds"),
        (note(TEXT, descsz=0xFFFFFFFF), "claims 4294967295 bytes, more than any page holds"),
        (note(TEXT, descsz=len(TEXT) + 3), f"claims {len(TEXT) + 3} bytes, {len(TEXT)} are text"),
        (note(TEXT[:-1]), "the last line is cut"),
        (note(TEXT + b"words\n"), "line 10 is not key=value"),
        (note(TEXT + b"=1\n"), "line 10 is not key=value"),
        (note(TEXT.replace(b"PAGESIZE", b"PAGESIZ")), "it has no PAGESIZE, which every kernel writes"),
        (note(TEXT.replace(b"PAGESIZE=4096", b"PAGESIZE=4095")), "it has no PAGESIZE, which every kernel writes"),
        (TEXT[:-1], "the last line is cut"),
        (TEXT + b"\xff", "other bytes follow it"),
        (TEXT + b"\n", "line 10 is not key=value"),
        (TEXT + b"A=1\n" * 17000, "the last line is cut"),
    ],
)  # fmt: skip
def test_faults_of_a_candidate(data: bytes, fault: str) -> None:
    item = candidate_at(guest_with((0x5000, data)), 0x5000)
    assert item is not None and item.faults == (fault,) and not item.whole
    assert item.text.startswith(b"OSRELEASE=6.1.0-test\n") and len(item.text) <= 1 << 16


@pytest.mark.parametrize("data", [note(TEXT + b"A=1\n" * 1000), TEXT + b"A=1\n" * 1000])
def test_a_note_of_several_pages_is_whole(data: bytes) -> None:
    item = candidate_at(guest_with((0x5000, data.ljust(8192, b"\0"))), 0x5000)
    assert item is not None and item.faults == () and len(item.text) > 4096


def test_missing_bytes_are_not_invented() -> None:
    """A note at the end of memory, and one across a range without bytes."""
    data = note().ljust(4096, b"\0")
    for loads in ([Load(0x1000, data[:200])], [Load(0x1000, data[:200], memsz=4096)]):
        dump = opened(elf(loads=loads)).dump
        assert dump is not None
        assert only(guest_of(dump)).faults == (f"claims {len(TEXT)} bytes, 176 are in the dump",)
    dump = opened(elf(loads=[Load(0x1000, TEXT)])).dump
    assert dump is not None and only(guest_of(dump)).faults == ("nothing in the dump ends it",)


def test_a_page_is_as_large_as_the_text_says() -> None:
    text = TEXT_64.replace(b"PAGESIZE=4096", b"PAGESIZE=65536")
    on, off = list(find(guest_with((0x10000, note(text)), (0x25000, note(text)))))
    assert on.faults == () and off.faults == ("not at a page boundary",)


@pytest.mark.parametrize("at", range(0x2000 - 40, 0x2000 + 2))
@pytest.mark.parametrize("data", [note(), TEXT_64])
def test_a_note_across_two_blocks_is_found_once(monkeypatch: pytest.MonkeyPatch, at: int, data: bytes) -> None:
    monkeypatch.setattr(scan, "SLOW_BLOCK", 4096)
    assert only(guest_with((at, data)), everywhere=True).paddr == at


@pytest.mark.parametrize("cut", [1, 5, 13, 30])
def test_page_starts_are_those_of_the_address_not_of_the_file(cut: int) -> None:
    """Ranges begin at any address; the page's first bytes are in two of them."""
    data = bytes(100) + note().ljust(4096, b"\0")
    loads = [Load(0x2000 - 100, data[: 100 + cut]), Load(0x2000 + cut, data[100 + cut :])]
    dump = opened(elf(loads=loads)).dump
    assert dump is not None and only(guest_of(dump)).paddr == 0x2000


def test_the_lowcore_of_s390x_points_at_any_address() -> None:
    lowcore = {0xE0C: 0x5004, 0xE18: 0x7000}
    placed = [(at, struct.pack(">Q", value)) for at, value in lowcore.items()]
    os_info = b"OSINFOSZ" + bytes(24) + struct.pack(">QQ", 0x9008, len(TEXT_64))
    memory = [*placed, (0x5004, note(order="big")), (0x7000, os_info), (0x9008, TEXT_64)]
    assert [item.paddr for item in find(guest_with(*memory, machine=S390))] == [0x5004, 0x9008]
    assert not list(find(guest_with(*memory)))


@pytest.mark.parametrize("value", [0, 1, 0x9000, 1 << 40, (1 << 64) - 1])
def test_a_lowcore_that_points_nowhere_is_ignored(value: int) -> None:
    memory = [(0xE0C, struct.pack(">Q", value)), (0xE18, struct.pack(">Q", value)), (0x5000, note(order="big"))]
    assert [item.paddr for item in find(guest_with(*memory, machine=S390))] == [0x5000]


def test_the_number_of_candidates_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "LIMIT", 20)
    monkeypatch.setattr(finding, "CUT_LIMIT", 5)
    cut, whole = note(TEXT_64)[:100], note(TEXT_64)
    guest = guest_with(*((page << 12, cut if page % 2 else whole) for page in range(1, 200)))
    found = list(find(guest))
    assert len(found) == 20 and sum(not item.whole for item in found) == 5


def test_a_block_full_of_anchors_hides_no_page_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "HITS_IN_A_BLOCK", 10)
    flood = (b"\x0b" + bytes(11) + b"VMCOREINFO\0\0") * 2000 + b"OSRELEASE=%s" * 2000
    guest = guest_with((0x1004, flood), (0x60000, note()))
    assert [item.paddr for item in find(guest, everywhere=True)] == [0x60000]


def test_only_a_page_start_within_a_text_begins_another() -> None:
    text = (TEXT_64 + b"A=1\n" * 2000)[: 0x1000 - len(TEXT_64)] + TEXT_64  # the second OSRELEASE is off a page start
    guest = guest_with((0x5000, text + TEXT_64), (0x9004, b"OSRELEASE=61\n" * 1000))
    assert [item.paddr for item in find(guest, everywhere=True)] == [0x5000, 0x6000, 0x9004]


def test_any_bytes_are_searched() -> None:
    rng = random.Random(5)
    pieces = (note(), TEXT_64, b"VMCOREINFO\0", b"OSRELEASE=", b"\x0b\0\0\0", b"\0\0\0\x0b", bytes(30), b"\n", b"A=1\n")
    for _ in range(100):
        data = b"".join(rng.choice(pieces)[: rng.choice((4, 30, 5000))] for _ in range(40))
        for item in find(guest_with((rng.choice((0x3000, 0x3001)), data)), everywhere=True):
            assert item.text.startswith(b"OSRELEASE=") and item.note("big").whole


@pytest.mark.parametrize("name", [name for name in TRUTH if (SAMPLES / name).exists()])
def test_the_windows_headers_of_real_guests(name: str) -> None:
    """The note is at its address; a page without header beside it has the same text."""
    dump = open_document(str(SAMPLES / name)).dump
    assert dump is not None
    true = TRUTH[name.replace("cut-nonote", "nonote").replace("cut-note", "nonote")]
    first, *others = sorted(find(guest_of(dump)), key=lambda item: item.kind)
    assert first.kind == "note" and first.paddr == true["paddr"] and first.whole
    assert true["guest_text_sha256"] in (None, hashlib.sha256(first.text).hexdigest())
    assert [(item.kind, item.text) for item in others] in ([], [("text", first.text)])
