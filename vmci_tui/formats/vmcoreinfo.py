"""Parse and edit the key=value text of the note; bytes that are not edited stay the same.

Linux writes it with `vmcoreinfo_append_str` (kernel/vmcore_info.c): at most 79
characters a call, and at most one page in all.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from vmci_tui.common.errors import EditError

LINE_LIMIT: Final = 1 << 17
"""Twice the lines that fit into the largest page (64 KiB); the bytes after them are one last line."""
BEFORE_KEY: Final = re.compile(rb"(?m)^[ \t]+(?=[A-Za-z_][^\n=]*=)")
"""The blanks before a key that `help -D` of crash prints: no reader finds a key in such lines."""
TAKEN_OUT: Final = "every line was indented, as `help -D` of crash prints it: the blanks were removed"
"""The message if a text to append was indented."""
_LINE: Final = re.compile(rb"[^\n]+")


class Line(NamedTuple):
    """One line with its newline; `offset` counts from the start of the text, `number` from 1."""

    number: int
    offset: int
    raw: bytes

    @property
    def body(self) -> bytes:
        return self.raw[:-1] if self.raw.endswith(b"\n") else self.raw

    @property
    def key(self) -> bytes | None:
        """The bytes before the first `=`; None for a broken line without one."""
        key, equals, _ = self.body.partition(b"=")
        return key if equals else None

    @property
    def value(self) -> bytes | None:
        _, equals, value = self.body.partition(b"=")
        return value if equals else None


@dataclass(frozen=True)
class Vmcoreinfo:
    """The text as it is in the descriptor."""

    text: bytes

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """All lines in file order, broken ones too; an empty text has none."""
        out, at = [], 0
        for number, raw in enumerate(self.text.split(b"\n", LINE_LIMIT), 1):
            whole = raw + b"\n" if at + len(raw) < len(self.text) else raw
            if whole:
                out.append(Line(number, at, whole))
            at += len(whole)
        return tuple(out)

    @cached_property
    def _starts(self) -> list[int]:
        return [line.offset for line in self.lines]

    def line_at(self, offset: int) -> Line:
        """Return the line that holds the byte at `offset` of a text that is not empty."""
        return self.lines[max(bisect_right(self._starts, offset) - 1, 0)]

    @cached_property
    def _by_key(self) -> dict[bytes, tuple[Line, ...]]:
        found: dict[bytes, list[Line]] = {}
        for line in self.lines:
            if (key := line.key) is not None:
                found.setdefault(key, []).append(line)
        return {key: tuple(lines) for key, lines in found.items()}

    def all(self, key: bytes) -> tuple[Line, ...]:
        """Return every line with this key, in order."""
        return self._by_key.get(key, ())

    def get(self, key: bytes) -> bytes | None:
        """Return the value of the last line with this key (readers differ on duplicates), or None."""
        lines = self.all(key)
        return lines[-1].value if lines else None

    @property
    def duplicates(self) -> tuple[tuple[bytes, tuple[Line, ...]], ...]:
        return tuple((key, lines) for key, lines in self._by_key.items() if len(lines) > 1)

    @property
    def osrelease(self) -> bytes | None:
        return self.get(b"OSRELEASE")

    @property
    def page_size(self) -> int | None:
        """PAGESIZE if it is a plain power of two, else None."""
        value = self.get(b"PAGESIZE")
        if value is None or not value.isdigit() or len(value) > 10:
            return None
        number = int(value)
        return number if number and number & (number - 1) == 0 else None

    def with_line(self, number: int, body: bytes) -> Vmcoreinfo:
        """Return the text with another body in line `number`; its newline stays. Raises EditError."""
        _one_line(body)
        return self._rejoin(
            body + line.raw[len(line.body) :] if line.number == number else line.raw for line in self.lines
        )

    def without_line(self, number: int) -> Vmcoreinfo:
        return self._rejoin(line.raw for line in self.lines if line.number != number)

    def with_value(self, key: bytes, value: bytes) -> Vmcoreinfo:
        """Return the text with `value` in every line with this key, or in a new last line if there is none.

        It sets all of them because crash reads the first duplicate and drgn the last. Raises EditError.
        """
        _one_line(value)
        lines = self.all(key)
        if not lines:
            return self.with_new_line(key, value)
        numbers = {line.number for line in lines}
        body = key + b"=" + value
        return self._rejoin(
            body + line.raw[len(line.body) :] if line.number in numbers else line.raw for line in self.lines
        )

    def with_new_line(self, key: bytes, value: bytes) -> Vmcoreinfo:
        """Return the text with one more line at its end. Raises EditError."""
        check_key(key)
        _one_line(value)
        glue = b"" if not self.text or self.text.endswith(b"\n") else b"\n"
        return Vmcoreinfo(self.text + glue + key + b"=" + value + b"\n")

    def _rejoin(self, parts: Iterable[bytes]) -> Vmcoreinfo:
        return Vmcoreinfo(b"".join(parts))


def check_key(key: bytes) -> None:
    """Raise EditError if `key` cannot be a key."""
    if not key or b"=" in key or b"\n" in key:
        raise EditError("a key is not empty and holds neither '=' nor a newline")


def _one_line(body: bytes) -> None:
    if b"\n" in body:
        raise EditError("a value is one line", "edit the whole text to add lines")


def is_indented(text: bytes) -> bool:
    """Return whether the text has lines, and every line that is not blank has blanks before its key."""
    lines = _LINE.findall(text)
    return bool(lines) and all(BEFORE_KEY.match(line) or not line.strip() for line in lines)


def unindented(text: bytes) -> bytes:
    """Return the text without the blanks before its keys; other bytes stay."""
    return BEFORE_KEY.sub(b"", text)
