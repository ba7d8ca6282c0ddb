"""What a helper process does: pieces of compressed memory come in, what they hold goes out, until the input ends."""

from __future__ import annotations

import marshal
import os
import struct
import sys
from typing import Final

from vmci_tui.core.anchors import Look
from vmci_tui.core.page_look import Found, Piece, look_at

LENGTH: Final = struct.Struct("<I")
"""Stands before each answer."""
Parts = tuple[tuple[int, int, int], ...]
"""Offset in the plain file, length, and place in the file, of what is read at once."""


def main(file: int) -> None:
    """`file` is the descriptor of the open dump. Ends with the process that started it, as its input does."""
    while True:
        try:
            number, look, block_size, limit, spans, parts = marshal.load(sys.stdin.buffer)
        except EOFError:
            return
        answer = marshal.dumps((number, *_found(file, Piece(Look(*look), block_size, limit, spans), parts)))
        sys.stdout.buffer.write(LENGTH.pack(len(answer)) + answer)
        sys.stdout.buffer.flush()


def question(number: int, piece: Piece, parts: tuple[Parts, ...]) -> bytes:
    """A piece, with where each of its spans lies in the file."""
    return marshal.dumps((number, tuple(piece.look), piece.block_size, piece.limit, piece.spans, parts))


def answered(data: bytes) -> tuple[int, Found]:
    """The number of a piece, and what it holds."""
    number, *found = marshal.loads(data)
    return number, Found(*found)


def _found(file: int, piece: Piece, parts: tuple[Parts, ...]) -> Found:
    places = {(low, size): where for (low, size, _), where in zip(piece.spans, parts, strict=True)}
    return look_at(piece, lambda low, size: _read(file, low, size, places[low, size]))


def _read(file: int, low: int, size: int, parts: Parts) -> bytes:
    """As the plain file has it: zeros where no part is."""
    if len(parts) == 1 and parts[0][:2] == (low, size):
        return os.pread(file, size, parts[0][2])
    out = bytearray(size)
    for offset, length, place in parts:
        data = os.pread(file, length, place)
        out[offset - low : offset - low + len(data)] = data
    return bytes(out)
