"""Hostile text: what a guest, or a file's name, can contain where text is expected."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, bytes]] = {
    "markup": b"[red]hostile[/red]",
    "markup-action": b"[@click=app.quit]hostile[/]",
    "markup-closing": b"[/foo]",
    "markup-open": b"[/",
    "markup-link": b"[link=file:///etc/passwd]hostile[/link]",
    "backslashes": b"\\x1b[31m\\\\[red]\\",
    "sgr": b"\x1b[31mhostile",
    "clear": b"\x1b[2Jhostile",
    "report": b"\x1b[6nhostile",
    "title": b"\x1b]0;hostile\x07",
    "clipboard": b"\x1b]52;c;aG9zdGlsZQ==\x07",
    "hyperlink": b"\x1b]8;;http://hostile.invalid/\x1b\\hostile",
    "device-control": b"\x1bPhostile\x1b\\",
    "c1-csi": b"\x9b31mhostile",
    "c1-csi-in-utf8": b"\xc2\x9b31mhostile",
    "c1-osc": b"\x9d0;hostile\x9c",
    "bell": b"hostile\x07",
    "backspace": b"hostile\x08\x08\x08",
    "delete": b"hostile\x7f",
    "carriage-return": b"hostile\roverwritten",
    "vertical-tab": b"hostile\x0b",
    "form-feed": b"hostile\x0c",
    "shift-out": b"hostile\x0e",
    "nul": b"hostile\0",
    "tab": b"hostile\t",
    "right-to-left": "\u202ehostile\u202c".encode(),
    "isolate": "\u2066hostile\u2069".encode(),
    "zero-width": "hostile\u200b".encode(),
    "joiner": "hostile\u200d".encode(),
    "next-line": "hostile\x85".encode(),
    "line-separator": "hostile\u2028".encode(),
    "byte-order-mark": "\ufeffhostile".encode(),
    "surrogate": b"hostile\xed\xb2\x80",
    "overlong": b"hostile\xc0\xaf",
    "invalid-utf8": b"\xff\xfehostile",
    "combining": ("hostile" + "\u0300" * 3).encode(),
    "wide": "hostile\u6f22\U0001f600".encode(),
}
"""Short texts by name, without newlines, so that each can be part of a line."""

MARKERS: Final[tuple[bytes, ...]] = tuple(
    text for text in TEXTS.values() if any(not 0x20 <= byte < 0x7F for byte in text)
)
"""Bytes that must never reach a terminal: control sequences, each with a word that no program writes by itself."""

HUGE: Final[dict[str, bytes]] = {
    "one-line-of-1-MB": b"K=" + b"v" * 1_000_000,
    "one-line-of-1-MB-of-ESC": b"\x1b" * 1_000_000,
    "100000-lines": b"".join(b"K%d=1\n" % number for number in range(100_000)),
    "100000-duplicates": b"K=1\n" * 100_000,
    "100000-broken-lines": b"x\n" * 100_000,
    "1048000-empty-lines": b"\n" * 1_048_000,
}
"""Texts of about 1 MB, each expensive in another way."""

TEXT: Final = b"".join(b"HOSTILE-%s=%s\n" % (name.encode(), text) for name, text in TEXTS.items())
"""All short texts as the lines of one vmcoreinfo."""

NOTE_NAMES: Final[tuple[bytes, ...]] = tuple(text.replace(b"\0", b"") + b"\0" for text in TEXTS.values())

FILE_NAMES: Final[tuple[bytes, ...]] = (
    *(text.replace(b"/", b"_").replace(b"\0", b"_")[:200] for text in TEXTS.values()),
    b"host\nile",
    b"-",
    b"--json",
    b" ",
    b"n" * 255,
)
"""Names that Linux accepts: any byte except `/` and NUL, at most 255 of them."""
