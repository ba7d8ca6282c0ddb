"""Hypothesis strategies for the parts of a hostile file: headers, notes, texts, writes."""

from __future__ import annotations

import json
import struct
from typing import Any

from hypothesis import strategies as st

from tests.dumps import factory
from tests.dumps.records import NOTE_NAME
from tests.faults import corpus
from tests.faults.mutate import EDGES

_LONGEST = 2048


def numbers(bits: int) -> st.SearchStrategy[int]:
    """Draw a number of `bits` bits: small, near a limit, or any."""
    top = (1 << bits) - 1
    return st.one_of(st.integers(0, 600), st.sampled_from(EDGES).map(lambda n: n & top), st.integers(0, top))


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    """Draw an ELF header, program headers and section headers of any values, followed by some bytes."""
    bits, order = draw(st.sampled_from((32, 64))), draw(st.sampled_from(("little", "big")))
    mark, wide = ("<" if order == "little" else ">"), ("Q" if bits == 64 else "I")
    e_size, p_size, s_size = (64, 56, 64) if bits == 64 else (52, 32, 40)
    segments = draw(
        st.lists(st.tuples(st.sampled_from((1, 1, 4, 4, 0, 6, 1 << 31)), *(numbers(bits),) * 7), max_size=6)
    )
    sections = draw(st.lists(st.tuples(*(numbers(32),) * 10), max_size=3))
    sane = draw(st.booleans())
    shoff = e_size + len(segments) * p_size
    counts = (len(segments), s_size, len(sections), 0) if sane else draw(st.tuples(*(numbers(16),) * 4))
    places = (0, e_size, shoff if sections else 0) if sane else draw(st.tuples(*(numbers(bits),) * 3))
    head = b"\x7fELF" + bytes((bits // 32, 1 if order == "little" else 2, 1)) + bytes(9)
    head += struct.pack(
        mark + f"HHI3{wide}I6H",
        draw(st.sampled_from((4, 4, 4, 0, 5, 65535))),
        draw(st.sampled_from((62, 3, 183, 22, 21, 40, 0, 65535))),
        1,
        *places,
        0,
        draw(st.sampled_from((e_size, 8, 0))),
        p_size if sane else draw(numbers(16)),
        *counts,
    )
    table = b"".join(_segment(mark, bits, s) for s in segments)
    table += b"".join(
        struct.pack(mark + f"II4{wide}II2{wide}", *(n & 0xFFFFFFFF if bits == 32 else n for n in s)) for s in sections
    )
    return head + table + draw(note_areas())


def _segment(mark: str, bits: int, fields: tuple[int, ...]) -> bytes:
    kind, flags, *rest = fields
    if bits == 64:
        return struct.pack(mark + "II6Q", kind, flags & 0xFFFFFFFF, *rest)
    return struct.pack(mark + "8I", kind, *rest[:-1], flags, rest[-1])


@st.composite
def notes(draw: st.DrawFn) -> bytes:
    """Draw one note; its sizes may be false."""
    name = draw(st.one_of(st.just(NOTE_NAME), st.sampled_from(corpus.NOTE_NAMES), st.binary(max_size=20)))
    lie = draw(st.sampled_from((None, None, "namesz", "descsz")))
    lies = {} if lie is None else {lie: draw(numbers(32))}
    return factory.note(
        draw(texts()),
        name,
        draw(numbers(32)),
        order=draw(st.sampled_from(("little", "big"))),
        align=draw(st.sampled_from((1, 4, 8))),
        pad=draw(st.sampled_from((b"\0", b"\xff"))),
        **lies,
    )


def note_areas() -> st.SearchStrategy[bytes]:
    """Draw any number of consecutive notes."""
    return st.one_of(st.lists(notes(), max_size=4).map(b"".join), st.binary(max_size=_LONGEST))


def texts() -> st.SearchStrategy[bytes]:
    """Draw lines that are valid, hostile or random, with any line ends."""
    good = st.sampled_from(factory.TEXT_64.splitlines() + factory.TEXT_32.splitlines())
    hostile = st.sampled_from(tuple(corpus.TEXTS.values()))
    key = st.sampled_from((b"OSRELEASE", b"PAGESIZE", b"SYMBOL(x)", b"NUMBER(x)", b"SIZE(list_head)", b"BUILD-ID", b""))
    pair = st.tuples(key, st.one_of(hostile, numbers(64).map(lambda n: b"%d" % n), st.binary(max_size=100))).map(
        b"=".join
    )
    line = st.one_of(good, pair, hostile, st.binary(max_size=200))
    ending = st.sampled_from((b"\n", b"\n", b"\n", b"\r\n", b"\0", b""))
    return st.lists(st.tuples(line, ending).map(b"".join), max_size=12).map(b"".join)


def write_json() -> st.SearchStrategy[bytes]:
    """Draw JSON of any shape, mostly similar to writes."""
    plain = st.one_of(st.none(), st.booleans(), numbers(64), st.floats(), st.text(max_size=20), st.just("00" * 16))
    write: st.SearchStrategy[Any] = st.fixed_dictionaries(
        {"offset": st.one_of(st.just(0), numbers(33), plain), "length": st.one_of(st.just(16), numbers(33), plain)},
        optional={"bytes": plain, "write": plain},
    )
    shape = st.recursive(
        st.one_of(plain, write),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=8,
    )
    return st.one_of(
        st.one_of(st.lists(write, max_size=5), shape).map(lambda v: json.dumps(v).encode()), st.binary(max_size=200)
    )
