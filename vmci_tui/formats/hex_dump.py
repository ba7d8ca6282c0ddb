"""Hex dumps as text, by the `hexdump` package, within the limits that it has.

It counts addresses from 0 only, and reading a dump back is quadratic and forgiving:
so addresses are put in here, and pasted text is capped and read back twice.
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
    """`data` as lines of 16 bytes, addressed from `start` on."""
    width = 8 if start + len(data) <= 1 << 32 else 12
    for number, line in enumerate(hexdump.dumpgen(data)):
        yield f"{start + 16 * number:0{width}X}{line[8:]}"


def read_pasted(text: str) -> bytes:
    """The bytes of pasted hex digits or of a hex dump. Raises EditError where it is neither."""
    if len(text) > PASTE_LIMIT:
        raise EditError(f"that is more than {PASTE_LIMIT} characters", "paste less at a time")
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    try:
        if any(":" in line[:14] for line in lines):
            return _restored(lines)
        return bytes(hexdump.dehex("".join("".join(lines).split()).removeprefix("0x")))
    except (IndexError, ValueError, TypeError):
        raise EditError("that is no hex", _HINT) from None


def _restored(lines: list[str]) -> bytes:
    """Read a dump back and dump it again: hexdump.restore takes `od` text and gives wrong bytes."""
    starts = [int(line[: line.index(":")], 16) for line in lines]
    if any(start - starts[0] != 16 * number for number, start in enumerate(starts)):
        raise ValueError  # a line is missing
    plain = [f"{16 * number:08X}{line[line.index(':') :]}" for number, line in enumerate(lines)]
    # Of a dump that ends in blanks restore strips what its columns are told by.
    data: bytes = hexdump.restore("\n".join(f"{line[:_HEX_END]:<60}." for line in plain))
    again = [line.rstrip() for line in hexdump.dumpgen(data)]
    if [line[:_HEX_END].rstrip() for line in again] != [line[:_HEX_END].rstrip() for line in plain]:
        raise ValueError
    return data
