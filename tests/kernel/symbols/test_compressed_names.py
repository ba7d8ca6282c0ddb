"""Test that names are found in compressed tables where they are after all names are expanded."""

from __future__ import annotations

import pickle
import random
from array import array
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest

from tests.kernel.cut_guests import unpacked
from tests.kernel.symbols.kallsyms_writer import names_of
from tests.opened_files import open_document
from tests.paths import DATA
from tests.real.booted.guest import Guest as Booted
from tests.real.booted.guest import guests
from vmci_tui.common.budget import Budget
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.kernel.cpus.cpu import cpus_of
from vmci_tui.kernel.image.places import places
from vmci_tui.kernel.symbols.compressed_names import HEAD, CompressedNames
from vmci_tui.kernel.symbols.raw_tables import raw_tables

_NOT_THERE = (b"", b"_", b"no_such_symbol", b"vmcoreinfo_not", b"_stext_")


def _numbers(texts: list[bytes]) -> dict[bytes, list[int]]:
    """Return the numbers of each name, by a table of all names."""
    out: dict[bytes, list[int]] = {}
    for number, text in enumerate(texts):
        out.setdefault(text[1:], []).append(number)
    return out


def _hold(names: CompressedNames, asked: int, seed: int) -> None:
    """Look up names that are there, names that are nearly there, and names that are not."""
    chosen = random.Random(seed)
    every = _numbers(list(names))
    there = chosen.sample(sorted(every), min(asked, len(every)))
    nearly = [name[: chosen.randrange(len(name) + 1)] for name in there]
    for name in (*there, *nearly, *_NOT_THERE):
        assert list(names.numbers(name)) == every.get(name, []), name


def _names(guest: Guest) -> Iterator[CompressedNames]:
    """Yield the names in the first table of a guest's memory."""
    budget = Budget()
    for place in places(guest, cpus_of(guest.notes, guest.machine), (), budget, lambda *_: None):
        found = raw_tables(guest, place, budget)
        if found is not None:
            yield found.names.compressed
            return


@pytest.mark.parametrize("name", sorted(path.name[:-7] for path in (DATA / "kernels").glob("*.elf.xz")))
def test_names_of_each_machine_are_found_as_in_the_expanded_table(name: str, tmp_path: Path) -> None:
    with open_document(str(unpacked(name, tmp_path))) as document:
        assert document.dump is not None
        (names,) = _names(guest_of(document.dump))
    assert len(names) > 30_000
    _hold(names, 40, 1)


@pytest.mark.long
@pytest.mark.parametrize("booted", guests(), ids=str)
def test_names_of_booted_guests_are_found_as_in_the_expanded_table(booted: Booted) -> None:
    with open_document(str(booted.dump)) as document:
        assert document.dump is not None
        (names,) = _names(guest_of(document.dump))
    every = _numbers(list(names))
    asked = random.Random(1).sample(sorted(every), 2000)
    # A table that is asked for many names has all of them expanded, so that a new one is asked for each hundred.
    for first in range(0, len(asked), 100):
        fresh = pickle.loads(pickle.dumps(names))
        for name in asked[first : first + 100]:
            assert list(fresh.numbers(name)) == every[name], name


@pytest.mark.parametrize("seed", range(15))
def test_names_of_any_tokens_are_found(seed: int) -> None:
    """Tokens that are empty, the same or within each other, names of one token, of hundreds, and twice."""
    chosen = random.Random(seed)
    letters = b"ab_" if seed % 3 else b"a"
    longest = chosen.choice((1, 2, 4))
    tokens = [bytes(chosen.choice(letters) for _ in range(chosen.randrange(longest + 1))) for _ in range(256)]
    used = range(chosen.choice((4, 256)))
    records = [bytes(chosen.choice(used) for _ in range(chosen.choice((1, 2, 3, 4, 5, 140)))) for _ in range(100)]
    records += chosen.sample(records, 20)
    headed = [
        (bytes((len(one),)) if len(one) < 128 else bytes((len(one) & 127 | 128, len(one) >> 7))) + one
        for one in records
    ]
    starts = array("I", accumulate(map(len, headed), initial=0))
    odd = array("I", [number for number, one in enumerate(records) if not HEAD <= len(one) < 128])
    names = CompressedNames(b"".join(headed), starts, odd, tuple(tokens))
    assert list(names) == [b"".join(tokens[token] for token in one) for one in records]
    _hold(names, 120, seed)


def test_a_name_that_many_tokens_begin_is_found_by_all_names() -> None:
    same = CompressedNames(b"\x04\0\0\0\0", array("I", (0, 5)), array("I"), (b"a",) * 256)
    assert list(same.numbers(b"aaa")) == [0] and list(same.numbers(b"aaaa")) == []


def test_a_table_that_was_packed_is_the_same_one() -> None:
    names = names_of((b"T_text", b"tx", b"D_end"))
    assert list(names.numbers(b"_end")) == [2]
    again = pickle.loads(pickle.dumps(names))
    assert list(again) == [b"T_text", b"tx", b"D_end"] and list(again.numbers(b"x")) == [1]
