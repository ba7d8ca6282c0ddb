"""The names of a kernel's types, members and enumerators: texts of which a dump may have only a part.

Each text is in the section once (btf__dedup of libbpf), so a name that is found has one offset, which all its users
have. A dump that was cut lacks pages of names, or has zeros for them: then a name that is not found may be there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

from vmci_tui.common.errors import VmciError

_LONGEST: Final = 512
"""KSYM_NAME_LEN: bytes of the longest name of a type, with its NUL."""
_SAME: Final = 64
"""Places of one name that are kept: Linux writes each once."""


class NameLacking(VmciError):
    """The dump has only some of the names, and those do not say whether there is one like this."""


class Names:
    """The section of texts, and which parts of it the dump lacks."""

    def __init__(self, texts: bytes, lacking: Iterable[tuple[int, int]] = ()) -> None:
        """Take the texts with zeros where they are `lacking`: sorted and disjoint parts, by their offsets."""
        self.texts = texts
        self.lacking = tuple(lacking)

    @cached_property
    def whole(self) -> bool:
        """Whether all names are there, so that one that is not found is not a name."""
        return not self.lacking and b"\0\0" not in self.texts

    def places(self, name: bytes) -> tuple[int, ...]:
        """Return the offsets of a name, none if it is not in the dump."""
        return tuple(self._found(name)) if 0 < len(name) < _LONGEST else ()

    def text(self, at: int) -> bytes:
        """Return the name at an offset; empty if the dump lacks it, or a byte of it."""
        end = self.texts.find(b"\0", at, at + _LONGEST)
        return self.texts[at:end] if at < end and not self._lacks(at - 1, end + 1) else b""

    def has(self, at: int) -> bool:
        """Return whether the dump has the name at an offset: one on which an answer depends."""
        return bool(self.text(at))

    def _found(self, name: bytes) -> Iterator[int]:
        at = self.texts.find(b"\0" + name + b"\0")
        for _ in range(_SAME):
            if at < 0:
                return
            if not self._lacks(at, at + len(name) + 2):
                yield at + 1
            at = self.texts.find(b"\0" + name + b"\0", at + 1)

    def _lacks(self, start: int, end: int) -> bool:
        """Return whether the dump lacks any byte of a part."""
        before = bisect_right(self.lacking, (start, len(self.texts) + 1)) - 1
        return (before >= 0 and self.lacking[before][1] > start) or any(
            first < end for first, _ in self.lacking[before + 1 : before + 2]
        )
