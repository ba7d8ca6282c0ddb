"""The rules that a reader applies to a file of one kind give the verdict that all its rules give."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from tests.paths import SAMPLES
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers import drgn, libkdumpfile
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Reader, judge
from vmci_tui.readers.verdicts import READERS

_FILES = ("amd64-cut-note.elf", "s390x-cut-note.elf", "x86_64-no-note.elf", "i386-qemu.kdump", "README.md")
_SIGNATURE = b"makedumpfile".ljust(16, b"\0") + (1).to_bytes(8, "big") * 2
_CHANGED = 12
"""Changed copies of each file."""


def _with_all_rules(reader: Reader[Any]) -> Reader[Any]:
    rules = reader.rules
    return replace(reader, rules_of=lambda _: rules)


@pytest.mark.parametrize("name", _FILES)
def test_rules_of_other_kinds_of_files_never_hold(name: str) -> None:
    data, chance = (SAMPLES / name).read_bytes()[: 1 << 17], random.Random(name)
    for number in range(_CHANGED):
        changed = bytearray(data if number % 4 else _SIGNATURE + data)
        for _ in range(number):
            changed[chance.randrange(min(len(changed), chance.choice((64, 4096, 1 << 17))))] = chance.randrange(256)
        view = View(BytesSource(bytes(changed)))
        for reader in (drgn.READER, libkdumpfile.READER):
            every = judge(_with_all_rules(reader), view)
            assert replace(every, reader=reader) == judge(reader, view), (reader.name, number)


def test_every_kind_has_rules_of_its_own() -> None:
    kinds = {"crash": 3, "drgn": 2, "libkdumpfile": 2}
    for reader in READERS:
        views = [View(BytesSource(data)) for data in (b"\x7fELF", b"KDUMP   ".ljust(4096, b"\0"), _SIGNATURE)]
        assert len({reader.rules_of(reader.read(view)) for view in views}) == kinds.get(reader.name, 1), reader.name
