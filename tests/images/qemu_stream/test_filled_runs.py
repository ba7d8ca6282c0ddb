"""Runs of filled pages: recognised at once, with the same index as record by record."""

from __future__ import annotations

import pytest

from tests.images.qemu_stream.written import HEAD, PAGE, configuration, filled, plain, ram, sizes
from vmci_tui.images.qemu_stream import ram as ram_records
from vmci_tui.images.qemu_stream.filled_runs import RECORD, RUN, is_filled_run
from vmci_tui.images.qemu_stream.pages import FILLED
from vmci_tui.images.qemu_stream.walk import Walk, begin, step
from vmci_tui.layers.file import BytesSource

_RECORDS = b"".join(filled(n * PAGE) for n in range(RUN))
_WORD = 0x22


def test_a_run() -> None:
    assert is_filled_run(_RECORDS, 0, _WORD, PAGE)
    assert is_filled_run(b"abc" + _RECORDS + b"d", 3, _WORD, PAGE)
    assert not is_filled_run(_RECORDS[:-1], 0, _WORD, PAGE)


@pytest.mark.parametrize("at", [9, RECORD * 300 + 3, RECORD * 300 + 8, RECORD * RUN - 1, RECORD * RUN - 4])
def test_one_other_byte(at: int) -> None:
    changed = bytearray(_RECORDS)
    changed[at] ^= 0x10
    assert not is_filled_run(bytes(changed), 0, _WORD, PAGE)


def _walk(records: bytes) -> Walk:
    blocks = ram(1, sizes([("a", 64 << 20), ("b", 16 << 20)]))
    walk, cursor = begin(BytesSource(HEAD + configuration() + blocks + ram(2, records) + ram(3, b"") + b"\0"))
    while step(walk, cursor):
        pass
    return walk


def test_the_index_is_that_of_single_records(monkeypatch: pytest.MonkeyPatch) -> None:
    records = filled(0, 0, "a") + b"".join(filled(n * PAGE) for n in range(1, 3000)) + plain(3000 * PAGE, b"x")
    records += b"".join(filled(n * PAGE, 7) for n in range(3001, 16384))
    records += filled(0, 1, "b") + b"".join(filled(n * PAGE, n % 700 == 9) for n in range(1, 4096))
    quick = _walk(records)
    monkeypatch.setattr(ram_records, "is_filled_run", lambda *_: False)
    single = _walk(records)
    assert quick.ram.index.places == single.ram.index.places
    assert quick.ram.counts == single.ram.counts
    assert quick.ram.counts.filled == 16384 + 4096 - 1
    assert quick.ram.index.places[1][9] == FILLED | 1
