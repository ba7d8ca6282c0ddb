"""The names of kallsyms as they are in memory, compressed: each is expanded when it is needed.

A name is its length in tokens and the tokens (scripts/kallsyms.c). A name that is looked up is not expanded: its first
tokens are among the few whose texts begin it, so only names with these tokens are expanded and compared.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import islice
from typing import Final, NamedTuple

HEAD: Final = 3
"""Tokens by which names are told apart before they are expanded."""
WIDE: Final = 0x80
"""The bit of a length that says that it has a second byte: since 6.1, for 128 tokens or more."""
_HEADS: Final = 1 << 10
"""Ways to begin one name with tokens: Debian's kernels have 70 at most."""
_LOOKS: Final = 4
"""Looks at the tokens of a name that take as much time as to expand it."""


class _Index(NamedTuple):
    """The numbers of the names by their first tokens."""

    last: dict[bytes, int]
    """The last name with these tokens."""
    before: list[int | None]
    """For each name the one before it with the same tokens."""
    beginnings: frozenset[bytes]
    """All that names begin with: one token."""
    odd: dict[bytes, list[int]]
    """The names of unusual length, and those that begin with a token without a text, expanded: there are few."""

    def with_head(self, head: bytes) -> Iterator[int]:
        """Yield the numbers of the names with these first tokens, the last one first."""
        number = self.last.get(head)
        while number is not None:
            yield number
            number = self.before[number]


class CompressedNames:
    """Names in the order of their addresses; each text is the type, one character, and the name."""

    def __init__(self, data: bytes, starts: array[int], odd: array[int], tokens: tuple[bytes, ...]) -> None:
        """Take the records of all names.

        `starts`: where each begins in `data`, and where the last one ends; `odd`: the numbers of those with fewer than
        HEAD tokens, or with a second byte of length; `tokens`: the texts of all 256.
        """
        self._data, self._starts, self._odd, self._tokens = data, starts, odd, tokens
        self._looked_at = 0

    def __reduce__(self) -> tuple[Callable[..., CompressedNames], tuple[object, ...]]:
        """Pack what was read, and nothing that was made of it."""
        return CompressedNames, (self._data, self._starts, self._odd, self._tokens)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __iter__(self) -> Iterator[bytes]:
        return map(self.text, range(len(self)))

    def text(self, number: int) -> bytes:
        """Return the type and the name of this number."""
        start, end = self._starts[number], self._starts[number + 1]
        first = start + (2 if self._data[start] & WIDE else 1)
        return b"".join(map(self._tokens.__getitem__, self._data[first:end]))

    def numbers(self, name: bytes) -> Iterator[int]:
        """Yield the numbers of the names that are this one, ascending: of a local symbol there may be thousands."""
        heads = None if self._looked_at > _LOOKS * len(self) else self._heads_of(name)
        if heads is None:
            yield from self._among_all(name)
            return
        alike = [number for head in heads for number in self._index.with_head(head)]
        found = [number for number in alike if name.endswith(self._tokens[self._data[self._starts[number + 1] - 1]])]
        self._looked_at += len(alike) + _LOOKS * len(found)
        found += self._index.odd.get(name, ())
        yield from (number for number in sorted(set(found)) if self.text(number)[1:] == name)

    def _heads_of(self, name: bytes) -> list[bytes] | None:
        """Return the tokens that a name may begin with, and its type; None if there are more than a kernel's."""
        begun = ((token, self._tokens[token[0]]) for token in self._index.beginnings)
        found = [(token, name[len(text) - 1 :]) for token, text in begun if text and name.startswith(text[1:])]
        for _ in range(HEAD - 1):
            longer = (
                (head + token, rest[len(text) :])
                for head, rest in found
                for token, text in self._by_character.get(rest[:1], ())
                if rest.startswith(text)
            )
            found = list(islice(longer, _HEADS + 1))
            if len(found) > _HEADS:
                return None
        return [head for head, _ in found]

    @cached_property
    def _by_character(self) -> dict[bytes, list[tuple[bytes, bytes]]]:
        """The tokens and their texts, by the first character of these."""
        out: dict[bytes, list[tuple[bytes, bytes]]] = {}
        for number, text in enumerate(self._tokens):
            if text:
                out.setdefault(text[:1], []).append((bytes((number,)), text))
        return out

    @cached_property
    def _index(self) -> _Index:
        data, last, before = self._data, dict[bytes, int](), list[int | None]()
        known, add = last.get, before.append  # some 100,000 names: what is looked up once is not looked up for each
        for number, head in enumerate([data[start + 1 : start + 1 + HEAD] for start in self._starts[:-1]]):
            add(known(head))
            last[head] = number
        out = _Index(last, before, frozenset(head[:1] for head in last), {})
        empty = {number for number, text in enumerate(self._tokens) if not text}
        heads = [head for head in last if not empty.isdisjoint(head)] if empty else []
        for odd in (*self._odd, *(number for head in heads for number in out.with_head(head))):
            out.odd.setdefault(self.text(odd)[1:], []).append(odd)
        return out

    def _among_all(self, name: bytes) -> Iterator[int]:
        """Yield the same after all names were expanded: to look at some again and again would take longer."""
        first, last = (numbers.get(name) for numbers in self._all)
        if first is None or last is None:
            return
        yield first
        yield from (number for number in range(first + 1, last) if self.text(number)[1:] == name)
        if last != first:
            yield last

    @cached_property
    def _all(self) -> tuple[dict[bytes, int], dict[bytes, int]]:
        """The first and the last number of each name."""
        names = [text[1:] for text in self]
        last = len(names) - 1
        first = {name: last - number for number, name in enumerate(reversed(names))}
        return first, {name: number for number, name in enumerate(names)}
