"""Damage the bytes of a file without knowledge of its parts: flips, cuts, bytes before or after it."""

from __future__ import annotations

import random

from tests.dumps.elf_shape import Places, Shape
from tests.real.agreement.mutations import Mutations

raw = Mutations()
cuts = Mutations()
"""Mutations that truncate the file; a separate group, because every reader then misses the note."""


@raw(10)
def head_bytes(rng: random.Random, shape: Shape) -> str:
    """Flip bits in the ELF header and the first program headers."""
    count = rng.choice((1, 1, 1, 2, 4))

    def damage(rng: random.Random, data: bytearray, places: Places) -> None:
        end = min(places.head, 64 + 3 * 56, len(data))
        for _ in range(count if data else 0):
            data[rng.randrange(end)] ^= 1 << rng.randrange(8)

    shape.late.append(damage)
    return f"{count} bits"


@raw(4)
def any_head_byte(rng: random.Random, shape: Shape) -> str:
    """Change a byte anywhere in the headers."""

    def damage(rng: random.Random, data: bytearray, places: Places) -> None:
        if data:
            data[rng.randrange(min(places.head, len(data)))] = rng.randrange(256)

    shape.late.append(damage)
    return ""


@raw(8)
def note_bytes(rng: random.Random, shape: Shape) -> str:
    """Change a byte in the note areas before the text, mostly in header words."""

    def damage(rng: random.Random, data: bytearray, places: Places) -> None:
        end = min(places.text or places.notes + 400, len(data))
        start = max(end - 24, places.notes) if rng.random() < 0.6 else places.notes
        if start < end:
            data[rng.randrange(start, end)] = rng.choice((0, 1, 11, 255, rng.randrange(256)))

    shape.late.append(damage)
    return ""


@raw(8)
def memory_bytes(rng: random.Random, shape: Shape) -> str:
    """Change bytes of guest memory, which does not affect whether the note is accepted."""

    def damage(rng: random.Random, data: bytearray, places: Places) -> None:
        start = places.text + places.text_length
        for _ in range(50):
            if start < len(data):
                data[rng.randrange(start, len(data))] = rng.randrange(256)

    shape.late.append(damage)
    return ""


@raw(3)
def behind(rng: random.Random, shape: Shape) -> str:
    """Add junk at the end of the file."""
    count = rng.choice((1, 100, 5000))
    shape.late.append(lambda rng, data, places: data.extend(rng.randbytes(count)))
    return f"{count} bytes"


@raw(4)
def short_memory(rng: random.Random, shape: Shape) -> str:
    """Truncate the file somewhere in memory."""

    def damage(rng: random.Random, data: bytearray, places: Places) -> None:
        start = places.text + places.text_length
        if start < len(data):
            del data[rng.randrange(start, len(data)) :]

    shape.late.append(damage)
    return ""


@cuts(6)
def cut(rng: random.Random, shape: Shape) -> str:
    """Truncate the file in the headers or the notes, at sizes that readers treat differently."""
    way = rng.choice(("head", "notes", "text", "few"))

    def damage(rng: random.Random, data: bytearray, places: Places) -> None:
        text_end = places.text + places.text_length
        start, end = {
            "head": (0, places.head),
            "notes": (places.head, places.text or len(data)),
            "text": (places.text, text_end or len(data)),
            "few": (0, 80),
        }[way]
        del data[rng.randrange(min(start, len(data)), max(min(end, len(data)), start + 1)) :]

    shape.late.append(damage)
    return way


@cuts(1)
def other_file(rng: random.Random, shape: Shape) -> str:
    """Replace the file by one that is neither ELF nor another kind of dump."""
    start = rng.choice((b"", b"PAGEDU64", b"#!/bin/sh\n", b"OSRELEASE=6.1.0\n", bytes(16)))

    def damage(rng: random.Random, data: bytearray, places: Places) -> None:
        if not start:
            data.clear()
        data[: len(start)] = start

    shape.late.append(damage)
    return repr(start)


@cuts(1)
def shifted(rng: random.Random, shape: Shape) -> str:
    """Put bytes before everything."""
    count = rng.choice((1, 4, 512))

    def damage(rng: random.Random, data: bytearray, places: Places) -> None:
        data[:0] = bytes(count)

    shape.late.append(damage)
    return f"by {count}"
