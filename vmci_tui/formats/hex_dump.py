"""Make and read hex dumps with the `hexdump` package, and work around its limits.

The package counts addresses from 0 only, and its reading is quadratic and accepts wrong text:
so addresses are added here, and pasted text is limited and checked by dumping it again.
"""

from __future__ import annotations

from collections.abc import Iterator

import hexdump

from vmci_tui.common.errors import EditError

PASTE_LIMIT = 64 << 10
"""Bytes of pasted text; hexdump.restore takes 40 s for 4 MiB."""
_HEX_END = 58
"""Columns of a line up to its last hex digit: an address of 8 digits, a colon, 16 bytes in two groups."""
_HINT = "paste plain hex digits, or what `vmci hex` prints"


def dump_lines(data: bytes, start: int = 0) -> Iterator[str]:
    """Yield `data` as lines of 16 bytes, with addresses from `start` on."""
    width = 8 if start + len(data) <= 1 << 32 else 12
    for number, line in enumerate(hexdump.dumpgen(data)):
        yield f"{start + 16 * number:0{width}X}{line[8:]}"


def read_pasted(text: str) -> bytes:
    """Return the bytes of pasted hex digits or of a hex dump. Raises EditError if the text is neither."""
    if len(text) > PASTE_LIMIT:
        raise EditError(f"that is more than {PASTE_LIMIT} characters", "paste less at a time")
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    try:
        if any(":" in line[:14] for line in lines):
            return _restored(lines)
        return bytes(hexdump.dehex("".join("".join(lines).split()).removeprefix("0x")))
    except (IndexError, ValueError, TypeError):
        raise EditError("that is not hex", _HINT) from None


def _restored(lines: list[str]) -> bytes:
    """Read a dump and dump it again to compare: hexdump.restore accepts `od` text and returns wrong bytes."""
    starts = [int(line[: line.index(":")], 16) for line in lines]
    if any(start - starts[0] != 16 * number for number, start in enumerate(starts)):
        raise ValueError  # a line is missing
    plain = [f"{16 * number:08X}{line[line.index(':') :]}" for number, line in enumerate(lines)]
    # If a dump ends in blanks, restore strips the characters by which it finds its columns.
    data: bytes = hexdump.restore("\n".join(f"{line[:_HEX_END]:<60}." for line in plain))
    again = [line.rstrip() for line in hexdump.dumpgen(data)]
    if [line[:_HEX_END].rstrip() for line in again] != [line[:_HEX_END].rstrip() for line in plain]:
        raise ValueError
    return data
