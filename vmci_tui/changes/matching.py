"""Which items of a list are new, changed or moved, and where some were removed. Pure functions, almost linear."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeVar

Kind = Literal["added", "changed", "moved"]
T = TypeVar("T")
_Keyed = Iterable[tuple[int, Hashable]]


class Matching(NamedTuple):
    """How a list differs from an older one; all numbers are indices."""

    kinds: Mapping[int, Kind]
    """What happened to an item of the new list; those that are missing here did not change."""
    before: Mapping[int, int]
    """Where a changed or moved item was in the old list."""
    removed: Mapping[int, tuple[int, ...]]
    """The old items that are gone, by the item of the new list in front of which they were."""


NOTHING = Matching({}, {}, {})


def match(
    old: Sequence[T], new: Sequence[T], content: Callable[[T], Hashable], key: Callable[[T], Hashable]
) -> Matching:
    """Compare two lists: items with the same content are the same, others with the same key are changed."""
    first, last, end = 0, 0, min(len(old), len(new))
    while first < end and content(old[first]) == content(new[first]):
        first += 1
    while last < end - first and content(old[-1 - last]) == content(new[-1 - last]):
        last += 1
    olds, news = range(first, len(old) - last), range(first, len(new) - last)
    same = _paired(((at, content(old[at])) for at in olds), ((at, content(new[at])) for at in news))
    taken = {*same.values()}
    changed = _paired(
        ((at, key(old[at])) for at in olds if at not in taken), ((at, key(new[at])) for at in news if at not in same)
    )
    steady = _longest_rise(tuple(same.items()))
    kinds: dict[int, Kind] = {}
    for at in news:
        if at not in steady:
            kinds[at] = "moved" if at in same else "changed" if at in changed else "added"
    paired = same | changed
    before = {at: paired[at] for at, kind in kinds.items() if kind != "added"}
    return Matching(kinds, before, _removed(olds, first, {was: at for at, was in paired.items()}, kinds))


def _paired(old: _Keyed, new: _Keyed) -> dict[int, int]:
    """Return for each new item the old one with the same key, the first for the first."""
    places: defaultdict[Hashable, deque[int]] = defaultdict(deque)
    for at, key in old:
        places[key].append(at)
    return {at: places[key].popleft() for at, key in new if places.get(key)}


def _longest_rise(pairs: Sequence[tuple[int, int]]) -> set[int]:
    """Return the most new items whose old places rise too: those that did not move."""
    tails: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for number, (_, was) in enumerate(pairs):
        length = bisect_left(tails, was)
        tails[length : length + 1] = [was]
        ends[length : length + 1] = [number]
        previous.append(ends[length - 1] if length else -1)
    steady, number = set(), ends[-1] if ends else -1
    while number >= 0:
        steady.add(pairs[number][0])
        number = previous[number]
    return steady


def _removed(olds: range, first: int, now: Mapping[int, int], kinds: Mapping[int, Kind]) -> dict[int, tuple[int, ...]]:
    """Return the old items that are not `now` in the list, each run by what follows it."""
    out: defaultdict[int, list[int]] = defaultdict(list)
    after = first
    for was in olds:
        if was not in now:
            out[after].append(was)
        elif kinds.get(now[was]) != "moved":
            after = now[was] + 1
    return {at: tuple(items) for at, items in out.items()}
