"""Overlapping records and hostile flattened files: time is bounded, and nothing raises."""

from __future__ import annotations

import random
import struct

from hypothesis import strategies as st

from tests.limits import time_limit
from tests.properties import given
from tests.real.agreement.kdump_cases import cases
from tests.real.agreement.kdump_flat import flatten
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers import drgn
from vmci_tui.readers.file_view import View
from vmci_tui.readers.libkdumpfile.file_cache import Windows
from vmci_tui.readers.libkdumpfile.flatmap import SIGNATURE, FlatFile
from vmci_tui.readers.rule import judge

_END = struct.pack(">qq", -1, -1)


def _file(records: list[tuple[int, bytes]]) -> bytes:
    head = (SIGNATURE + struct.pack(">qq", 1, 1)).ljust(4096, b"\0")
    return head + b"".join(struct.pack(">qq", at, len(data)) + data for at, data in records) + _END


@given(st.lists(st.tuples(st.integers(0, 40), st.binary(min_size=1, max_size=20)), min_size=1, max_size=9))
def test_the_later_record_counts(records: list[tuple[int, bytes]]) -> None:
    wanted = bytearray(64)
    owner: list[int | None] = [None] * 64
    for number, (at, data) in enumerate(records):
        wanted[at : at + len(data)] = data
        owner[at : at + len(data)] = [number] * len(data)
    data = _file(records)
    flat = FlatFile(Windows(View(BytesSource(data))))
    assert flat.pread(0, 64) == bytes(wanted)
    for at in range(64):
        place = flat.place(at)
        assert (place is None) == (owner[at] is None)
        assert place is None or data[place] == wanted[at]
    for at, length in ((0, 64), (3, 5), (30, 9)):
        inside = all(owner[n] is not None for n in range(at, at + length))
        if inside:
            assert flat.chunk(at, length).data == bytes(wanted[at : at + length])


def test_a_hundred_thousand_records_in_any_order_are_soon_read() -> None:
    numbers = list(range(100_000))
    for order in (numbers, numbers[::-1], random.Random(1).sample(numbers, len(numbers))):
        data = _file([(number * 3, b"x") for number in order])
        with time_limit(10):
            flat = FlatFile(Windows(View(BytesSource(data))))
        assert flat.pread(29_997, 6) == b"x\0\0x\0\0"
        assert flat.records == 100_000 and flat.size == 299_998


def test_hostile_files_end_in_a_verdict() -> None:
    rng = random.Random(7)
    files = [case.data for case in cases() if len(case.data) < 100_000]
    for _ in range(1500):
        data = bytearray(rng.choice(files))
        for _ in range(rng.choice((1, 2, 3, 8, 40))):
            at = rng.choice((rng.randrange(600), 4096 + rng.randrange(700), rng.randrange(len(data))))
            width = rng.choice((1, 2, 4, 8))
            data[at : at + width] = rng.choice((b"\0", b"\xff", b"\x7f", rng.randbytes(1))) * width
        verdict = judge(drgn.READER, View(BytesSource(bytes(data))))
        assert verdict.accepts is not None or any(not item.rule.observed for item in verdict.fired)
        verdict.values()


def test_the_note_of_a_cpu_is_found_through_the_records() -> None:
    case = next(case for case in cases() if case.rule == "cpu-note")
    data = flatten(random.Random(3), case.data).bytes()
    verdict = judge(drgn.READER, View(BytesSource(data)))
    fired = next(item for item in verdict.fired if item.rule.name == "cpu-note")
    assert fired.span is not None and data[fired.span.offset + 12 :].startswith(b"CORE")
