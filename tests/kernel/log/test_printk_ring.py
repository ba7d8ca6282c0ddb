"""Test the printk ring: real dumps of three machines, and rings that an independent writer made for all machines."""

from __future__ import annotations

import random

import pytest

from tests.kernel.log.rings import COMMITTED, PLACES, RESERVED, Place, RingWriter, Said, written
from tests.kit import opened
from tests.paths import SAMPLES
from vmci_tui.containers.guest import guest_of
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.log.read_log import read_log
from vmci_tui.kernel.log.record import KernelLog

_EVERY = pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.machine}-{place.order}")


def read(ring: RingWriter, text: bytes, place: Place) -> KernelLog:
    return read_log(Vmcoreinfo(text), ring.ram.guest(place.machine)._replace(bits=place.word * 8))


def lines(count: int) -> list[Said]:
    chosen = random.Random(count)
    return [
        Said(
            bytes(chosen.choices(b"abc \n", k=chosen.randrange(0, 60))),
            chosen.randrange(1 << 40),
            chosen.randrange(8),
            chosen.randrange(24),
            chosen.choice((1, 4000, 1 << 31 | 3)),
        )
        for _ in range(count)
    ]


def test_a_real_guests_log_is_read_to_its_last_line() -> None:
    document = opened((SAMPLES / "amd64-cut-note.elf").read_bytes())
    assert document.dump is not None and document.state.vmcoreinfo is not None
    log = read_log(document.state.vmcoreinfo, guest_of(document.dump))
    assert (log.form, log.remarks) == ("printk ring", ())
    assert [record.sequence for record in log.records] == list(range(353))
    assert (log.records[-1].text, log.records[-1].level, log.records[-1].caller) == (b"    TERM=linux", 7, "T1")


@_EVERY
@pytest.mark.parametrize("count", [0, 1, 20, 31, 32, 33, 500])
def test_the_last_records_are_those_that_the_kernel_logged(place: Place, count: int) -> None:
    said = lines(count)
    ring, text = written(place, said)
    log = read(ring, text, place)
    kept = said[count - len(log.records) :]
    assert log.form == "printk ring"
    assert len(log.records) == (ring.head - ring.tail) % ring.ids + (1 if count > 31 else 0) or count <= 31
    assert [(r.text, r.nanoseconds, r.level, r.facility) for r in log.records] == [
        (one.text, one.nanoseconds, one.level, one.facility) for one in kept
    ]
    assert [record.sequence for record in log.records] == list(range(count - len(kept), count))
    callers = {1: "T1", 4000: "T4000", 1 << 31 | 3: "C3"}
    assert [record.caller for record in log.records] == [callers[one.caller] for one in kept]


def test_a_record_that_is_being_written_is_said() -> None:
    ring, text = written(PLACES[0], lines(3))
    ring.add(Said(b"half"), RESERVED)
    ring.add(Said(b"open for more"), COMMITTED)
    log = read(ring, text, PLACES[0])
    assert [record.problem for record in log.records[:3]] == ["", "", ""]
    assert "being written" in log.records[3].problem and log.records[3].text == b""
    assert (log.records[4].text, log.records[4].problem) == (b"open for more", "")
    assert any("being written" in remark for remark in log.remarks)


@_EVERY
def test_an_overwritten_text_and_description_are_said(place: Place) -> None:
    ring, text = written(place, [Said(b"one"), Said(b"two"), Said(b"three")])
    begin, _ = ring.blocks[ring.head]
    ring.put(ring.data + begin % ring.size, 77, place.word)
    ring.put(ring.infos + (ring.head - 1) % ring.count * ring.info_size, 9999, 8)
    log = read(ring, text, place)
    assert log.records[0].text == b"one"
    assert "description is overwritten" in log.records[1].problem and "text is overwritten" in log.records[2].problem


def test_a_text_without_room_and_one_cut_short_are_said() -> None:
    ring, text = written(PLACES[0], [Said(b"one"), Said(b"two")])
    first, second = ((ring.head - back) % ring.count for back in (1, 0))
    for offset in (8, 16):
        ring.put(ring.descs + first * ring.desc_size + offset, 1, 8)
    ring.put(ring.infos + second * ring.info_size + 16, 900, 2)
    log = read(ring, text, PLACES[0])
    assert "no room" in log.records[0].problem
    assert "cut short" in log.records[1].problem and log.records[1].text.startswith(b"two")


def test_a_page_that_the_dump_lacks_is_said() -> None:
    ring, text = written(PLACES[0], lines(20))
    del ring.ram.pages[ring.paddr(ring.data) // 4096]
    log = read(ring, text, PLACES[0])
    assert "the dump lacks" in " ".join(log.remarks)
    del ring.ram.pages[ring.paddr(ring.at) // 4096]
    assert read(ring, text, PLACES[0]).form == ""


def test_of_a_log_with_too_many_records_the_last_ones_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    ring, text = written(PLACES[0], [Said(b"line %02d" % number) for number in range(20)])
    monkeypatch.setattr("vmci_tui.kernel.log.printk_ring.MOST_RECORDS", 5)
    log = read(ring, text, PLACES[0])
    assert [record.sequence for record in log.records] == [15, 16, 17, 18, 19] and "last 5" in log.remarks[-1]
    monkeypatch.setattr("vmci_tui.kernel.log.printk_ring.MOST_TEXT", 25)
    assert [record.sequence for record in read(ring, text, PLACES[0]).records] == [17, 18, 19]


def damage(seed: int) -> None:
    """Read a ring after each of 25 changes to its bytes."""
    chosen = random.Random(seed)
    place = chosen.choice(PLACES)
    ring, text = written(place, lines(chosen.randrange(1, 60)))
    start = ring.paddr(ring.at)
    for _ in range(25):
        parts = (16 + chosen.randrange(88), 0x1000 + chosen.randrange(0x400), chosen.randrange(0x8400))
        ring.ram.put(start + chosen.choice(parts), bytes([chosen.choice((0, 1, 255, chosen.randrange(256)))]))
        log = read(ring, text, place)
        assert log.form or log.remarks


@pytest.mark.parametrize("seed", range(40))
def test_damaged_rings_end_in_a_log_or_in_a_reason(seed: int) -> None:
    damage(seed)


@pytest.mark.long
@pytest.mark.parametrize("part", range(20))
def test_two_hundred_thousand_damaged_rings(part: int) -> None:
    for seed in range(400):
        damage(1000 + 400 * part + seed)
