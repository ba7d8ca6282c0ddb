"""The formats in which bytes can be copied. Each gives printable ASCII and newlines, whatever the bytes are."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.formats.hex_dump import dump_lines

_PER_LINE: Final = 12


class CopiedBytes(NamedTuple):
    """Bytes to copy, and where they are from."""

    data: bytes
    what: Safe
    """A description, like `value of PAGESIZE`."""
    offset: int | None = None
    """Where they begin in the file, or in the entry."""


class CopyFormat(NamedTuple):
    """One way to write bytes."""

    name: str
    label: str
    write: Callable[[CopiedBytes], str]
    ending: str
    """The ending of a file in this format."""


def as_text(piece: CopiedBytes) -> str:
    """Write the bytes as they are shown everywhere; the lines of a text stay lines."""
    return "\n".join(visible(line) for line in piece.data.removesuffix(b"\n").split(b"\n"))


def as_hex(piece: CopiedBytes) -> str:
    return piece.data.hex()


def as_hexdump(piece: CopiedBytes) -> str:
    return "\n".join(dump_lines(piece.data, piece.offset or 0))


def as_c(piece: CopiedBytes) -> str:
    """Write an array that compiles; C has no empty arrays."""
    note = f"/* {_comment(piece)} */"
    if not piece.data:
        return f"{note}\nstatic const unsigned char data[1];"
    lines = (piece.data[at : at + _PER_LINE] for at in range(0, len(piece.data), _PER_LINE))
    body = ",\n".join("    " + ", ".join(f"0x{byte:02x}" for byte in line) for line in lines)
    return f"{note}\nstatic const unsigned char data[{len(piece.data)}] = {{\n{body},\n}};"


def as_python(piece: CopiedBytes) -> str:
    return f"data = {piece.data!r}  # {_comment(piece)}"


def as_json(piece: CopiedBytes) -> str:
    out = {
        "what": piece.what,
        "offset": piece.offset,
        "length": len(piece.data),
        "hex": piece.data.hex(),
        "text": visible(piece.data),
    }
    return json.dumps(out, indent=1)


FORMS: Final = (
    CopyFormat("text", "Text", as_text, "txt"),
    CopyFormat("hex", "Hex digits", as_hex, "hex.txt"),
    CopyFormat("hexdump", "Hex dump", as_hexdump, "dump.txt"),
    CopyFormat("c", "C array", as_c, "h"),
    CopyFormat("python", "Python bytes", as_python, "py"),
    CopyFormat("json", "JSON", as_json, "json"),
)


def _comment(piece: CopiedBytes) -> str:
    """Return one line that cannot end a comment of C."""
    where = "" if piece.offset is None else f" at {piece.offset:#x}"
    return f"{piece.what}{where}, {len(piece.data)} bytes".replace("\\", "/").replace("*/", "* /")
