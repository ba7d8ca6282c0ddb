"""Test log_buf, the log of kernels before 5.10: no such guest can be booted here, so all of it is from the writer."""

from __future__ import annotations

import random

import pytest

from tests.kernel.log.buffers import BufferWriter, RecordWriter, TextWriter
from tests.kernel.log.rings import PLACES, Place, Said
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.log.read_log import read_log
from vmci_tui.kernel.log.record import KernelLog

_EVERY = pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.machine}-{place.order}")


def read(writer: BufferWriter, keys: bytes) -> KernelLog:
    guest = writer.ram.guest(writer.place.machine)
    return read_log(Vmcoreinfo(keys), guest._replace(bits=writer.place.word * 8))


@_EVERY
@pytest.mark.parametrize(("name", "callers"), [("log", False), ("printk_log", False), ("printk_log", True)])
@pytest.mark.parametrize("count", [0, 1, 15, 400])
def test_records_are_read_in_their_order(place: Place, name: str, callers: bool, count: int) -> None:
    chosen = random.Random(count)
    writer = RecordWriter(place, 1024, name, callers)
    said = [
        Said(
            bytes(chosen.choices(b"ab \n", k=chosen.randrange(60))),
            chosen.randrange(1 << 40),
            chosen.randrange(8),
            3,
            5,
        )
        for _ in range(count)
    ]
    for one in said:
        writer.add(one, b"SUBSYSTEM=pci\0" * chosen.randrange(2))
    log = read(writer, writer.keys())
    kept = said[count - len(writer.lengths) :]
    assert (log.form, log.remarks[1:]) == ("log_buf with records", ())
    assert [(record.text, record.nanoseconds, record.level, record.facility) for record in log.records] == [
        (one.text, one.nanoseconds, one.level, one.facility) for one in kept
    ]
    assert {record.caller for record in log.records} <= {"T5" if callers else None}
    assert count < 400 or 5 < len(kept) < 60


def test_a_record_that_memory_does_not_hold_ends_the_log() -> None:
    writer = RecordWriter(PLACES[0])
    for number in range(10):
        writer.add(Said(b"line %d" % number))
    writer.bytes(writer.lengths[4][0] + 8, b"\3\0")
    log = read(writer, writer.keys())
    assert [record.text for record in log.records] == [b"line %d" % number for number in range(4)]
    assert "ends early" in log.remarks[-1]


def test_of_a_log_with_too_many_records_the_last_ones_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    writer, lines = RecordWriter(PLACES[0]), TextWriter(PLACES[0], 1024)
    for number in range(20):
        writer.add(Said(b"line %02d" % number))
        lines.add(b"line %02d" % number)
    monkeypatch.setattr("vmci_tui.kernel.log.record_buffer.MOST_RECORDS", 2)
    monkeypatch.setattr("vmci_tui.kernel.log.text_buffer.MOST_RECORDS", 2)
    for log in (read(writer, writer.keys()), read(lines, lines.keys())):
        assert [record.text for record in log.records] == [b"line 18", b"line 19"] and "last 2" in log.remarks[-1]
    monkeypatch.setattr("vmci_tui.kernel.log.record_buffer.MOST_TEXT", 10)
    assert [record.text for record in read(writer, writer.keys()).records] == [b"line 19"]


@_EVERY
@pytest.mark.parametrize("count", [0, 3, 300])
def test_text_is_read_by_lines(place: Place, count: int) -> None:
    writer = TextWriter(place, 1024)
    lines = [b"<%d>[%5d.%06d] line %d" % (number % 8, number, number * 7, number) for number in range(count)]
    for line in lines:
        writer.add(line)
    log = read(writer, writer.keys())
    assert log.form == "log_buf as text"
    whole = log.records[1:] if count == 300 else log.records
    kept = range(count - len(whole), count)
    assert [(r.text, r.nanoseconds, r.level) for r in whole] == [
        (b"line %d" % number, number * 10**9 + number * 7000, number % 8) for number in kept
    ]
    assert count < 300 or len(kept) > 20


def test_text_without_levels_and_times_is_kept() -> None:
    writer = TextWriter(PLACES[0], 1024)
    writer.add(b"plain")
    writer.add(b"<12>from user space")
    first, second = read(writer, writer.keys()).records
    assert (first.text, first.level, first.nanoseconds) == (b"plain", None, None)
    assert (second.text, second.level, second.facility) == (b"from user space", 4, 1)


@pytest.mark.parametrize("seed", range(60))
def test_damaged_buffers_end_in_a_log_or_in_a_reason(seed: int) -> None:
    chosen = random.Random(seed)
    place = chosen.choice(PLACES)
    writer: RecordWriter | TextWriter = RecordWriter(place) if seed % 2 else TextWriter(place, 1024)
    for number in range(chosen.randrange(1, 90)):
        if isinstance(writer, RecordWriter):
            writer.add(Said(b"line %d" % number))
        else:
            writer.add(b"<6>line %d" % number)
    for _ in range(20):
        at = chosen.choice((chosen.randrange(20), 2 * 4096 + chosen.randrange(1024)))
        writer.ram.put(writer.at - place.shift + at, bytes((chosen.choice((0, 1, 255, chosen.randrange(256))),)))
        log = read(writer, writer.keys())
        assert log.form or log.remarks
