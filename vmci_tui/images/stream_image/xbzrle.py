"""Apply the changes of a page that QEMU sends for a page that it has sent before (docs/devel/migration: xbzrle)."""

from __future__ import annotations


def apply(page: bytes, changes: bytes) -> bytes | None:
    """Return a page with its changes: unchanged bytes, changed bytes and these bytes, and so on; None if damaged."""
    out, at, into = bytearray(page), 0, 0
    while at < len(changes):
        same, at = _length(changes, at)
        into += same
        if at == len(changes):
            break
        count, at = _length(changes, at)
        part = changes[at : at + count]
        if len(part) < count or into + count > len(page):
            return None
        out[into : into + count] = part
        at, into = at + count, into + count
    return bytes(out) if into <= len(page) else None


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Return a length, of one byte or two (7 bits each, the lower first), and the offset after it."""
    low = data[at]
    if low < 0x80 or at + 1 == len(data):
        return low & 0x7F, at + 1
    return low & 0x7F | data[at + 1] << 7, at + 2
