"""Hold streams of booted guests to QEMU's own dump of the same stopped guest: not a page differs.

`VMCI_GUESTS` names the folder of guests; see boot/README.md. Where QEMU's dump leaves out memory (of a display), the
stream may have more.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.booted.guest import FOLDER
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.images.as_dump import ImageDump
from vmci_tui.opening.open_file import open_document

_STEP = 1 << 20


def _saved() -> list[Path]:
    return sorted(FOLDER.glob("*/saved/*.qevm")) if FOLDER else []


pytestmark = [
    pytest.mark.long,
    pytest.mark.parametrize("path", _saved(), ids=lambda path: f"{path.parents[1].name}-{path.stem}"),
]


def test_memory_is_that_of_the_dump(path: Path) -> None:
    plan = path.name.partition(".")[0]
    with open_document(str(path)) as saved, open_document(str(path.with_name(f"{plan}.elf"))) as dumped:
        assert saved.dump is not None
        assert dumped.dump is not None
        mine, theirs = guest_of(saved.dump), guest_of(dumped.dump)
        compared, differing = 0, []
        for item in theirs.memory.ranges:
            for paddr in range(item.paddr, item.end, _STEP):
                length = min(_STEP, item.end - paddr)
                compared += length
                if mine.read(paddr, length) != theirs.read(paddr, length):
                    differing += [hex(at) for at in range(paddr, paddr + length, 4096) if not _same(mine, theirs, at)]
        assert compared > 64 << 20
        assert differing == []


def _same(mine: Guest, theirs: Guest, paddr: int) -> bool:
    return mine.read(paddr, 4096) == theirs.read(paddr, 4096)


def test_the_notes_are_those_of_the_dump(path: Path) -> None:
    plan = path.name.partition(".")[0]
    with open_document(str(path)) as saved, open_document(str(path.with_name(f"{plan}.elf"))) as dumped:
        assert isinstance(saved.dump, ImageDump)
        assert dumped.dump is not None
        assert saved.dump.missing == ""
        own = [note.raw for note in saved.dump.notes if not note.is_vmcoreinfo]
        if saved.dump.machine == "x86_64":
            assert own == [note.raw for note in dumped.dump.notes if not note.is_vmcoreinfo]
        assert [note.name for note in saved.dump.notes] == [
            note.name for note in dumped.dump.notes if not note.is_vmcoreinfo
        ]
