"""Damaged saves of libvirt, snapshots in qcow2 and states of devices: each opens, or is one clear line."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache, partial
from typing import Final, NamedTuple

import pytest

from tests.images.wrapped.saves import AT, COMPRESSED, PLAIN, data_of, save, stream
from tests.paths import DATA
from vmci_tui.common.errors import OpenError
from vmci_tui.images.as_dump import dump_of
from vmci_tui.images.guest_image import ImageChoice
from vmci_tui.images.open_image import image_of
from vmci_tui.layers.file import BytesSource

_VALUES: Final = (b"\xff" * 8, bytes(8), b"\x7f" + b"\xff" * 7, b"9" * 13, b'"array_len": 4294967295', b"\0\0\0\1" * 2)
_TAIL: Final = 110_000
"""Bytes at the end of a stream that have its devices and their description."""


class _Kind(NamedTuple):
    """How a stream becomes a file."""

    wrap: Callable[[bytes], bytes]
    heads: int
    """The bytes at the start of the file that are not the stream's."""


@cache
def _stream() -> bytes:
    return stream()[:60_000] + stream()[-_TAIL:]


@cache
def _devices() -> bytes:
    return (DATA / "live" / "pc.devices").read_bytes()


_KINDS: Final = {
    **{name: _Kind(partial(save, format_), AT) for name, format_ in ({"plain": PLAIN} | COMPRESSED).items()},
    **{f"only {name}": _Kind(format_[1], 20) for name, format_ in COMPRESSED.items()},
    "qcow2": _Kind(lambda _: data_of("pc-savevm-7.2.qcow2"), 1 << 18),
    "devices": _Kind(lambda _: _devices(), 100),
}


@pytest.mark.parametrize("name", _KINDS)
@pytest.mark.parametrize("count", [8, pytest.param(7150, marks=pytest.mark.long)])
def test_a_mutated_file_opens_or_is_one_line(name: str, count: int) -> None:
    kind, chance = _KINDS[name], random.Random(name)
    for _ in range(count):
        inside = _mutated(_stream(), chance, 400) if chance.random() < 0.5 else _stream()
        data = kind.wrap(inside)
        _read(data if inside is not _stream() else _mutated(data, chance, kind.heads))


def _read(data: bytes) -> None:
    """Open an image and read of it what a command would; nothing but OpenError may be raised."""
    try:
        image = image_of(BytesSource(data), ImageChoice())
        if image is None:
            return
        dump = dump_of(image)
        for item in dump.memory.ranges[:3]:
            dump.memory.read(dump.source, item.paddr, 4096)
        if image.entry is not None:
            dump.memory.read(dump.source, image.entry.entry.paddr, 4096)
        assert (image.doubts, image.missing, image.notes) is not None
    except OpenError as error:
        assert str(error).isprintable() and len(str(error)) < 400


def _mutated(data: bytes, chance: random.Random, head: int) -> bytes:
    """Return bytes cut off, or with some changed: at the head, at the end, or anywhere."""
    if chance.random() < 0.15:
        return data[: chance.randrange(len(data))]
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 4, 30))):
        at = chance.choice(
            (
                chance.randrange(min(len(out), head)),
                len(out) - 1 - chance.randrange(min(len(out), _TAIL)),
                chance.randrange(len(out)),
            )
        )
        if chance.random() < 0.3:
            value = chance.choice(_VALUES)
            out[at : at + len(value)] = value
        else:
            out[at] = chance.randrange(256)
    return bytes(out)
