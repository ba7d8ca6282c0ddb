"""Test which bytes a recorder has seen, and what a masked source shows."""

from __future__ import annotations

import random

from vmci_tui.cutting.masked import MaskedSource
from vmci_tui.cutting.recorder import Recorder
from vmci_tui.layers.file import BytesSource
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Range, Ranges

_DATA = bytes(range(1, 201))
_MEMORY = Memory(Ranges([Range(0x1000, 50, 100), Range(0x2000, 50, 10)]))
"""Two ranges whose order in the file is not that of their addresses."""


def test_reads_are_recorded_for_their_purpose_only() -> None:
    recorder = Recorder(BytesSource(_DATA))
    recorder.read(0, 200)
    with recorder.recording("proof"):
        recorder.read(110, 10)
        recorder.read(115, 10)
    with recorder.recording("log"):
        recorder.read(0, 20)  # of which ten bytes are not memory
        recorder.read(195, 100)
    assert recorder.read_for(_MEMORY) == {"proof": ((0x100A, 0x1019),), "log": ((0x2000, 0x200A),)}
    assert recorder.parts() == ((0, 20), (110, 125), (195, 200))


def test_a_masked_source_shows_the_parts_and_zeros() -> None:
    rng = random.Random(17)
    for _ in range(50):
        marks = sorted(rng.sample(range(201), 6))
        parts = list(zip(marks[::2], marks[1::2], strict=True))
        wanted = bytes(byte if any(a <= at < b for a, b in parts) else 0 for at, byte in enumerate(_DATA))
        masked = MaskedSource(BytesSource(_DATA), parts)
        for _ in range(20):
            at, length = rng.randrange(220), rng.randrange(220)
            assert masked.read(at, length) == wanted[at : at + length]
            shown = list(masked.data_ranges(at, at + length))
            assert all(wanted[other] == 0 or any(a <= other < b for a, b in shown)
                       for other in range(at, min(at + length, 200)))  # fmt: skip
