"""The note of a running machine whose registers name no page tables, by the kernel's own variables, without a stop."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.live.fake_qemu import serving
from tests.live.recorded_vm import RecordedVm
from vmci_tui.adoption.choose import search
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import guest_of
from vmci_tui.images.guest_image import ImageChoice
from vmci_tui.live.commands import COMMANDS
from vmci_tui.opening.open_file import open_document
from vmci_tui.search.candidate import RankedCandidate

_HEADED, _NOT_HEADED = "riscv64-612", "arm64-61"
"""A guest with the head of its image in memory, and one whose kernel gave that page away."""


def _found(fake: RecordedVm, path: Path) -> tuple[RankedCandidate, ...]:
    with (
        serving(fake, path) as socket,
        open_document(f"qmp:{socket}", choice=ImageChoice(stop=False)) as document,
    ):
        assert document.dump is not None
        found = search(guest_of(document.dump), no_progress)
    assert set(fake.names) <= {command.name for command in COMMANDS if not command.stops}
    return found


@pytest.mark.parametrize(("name", "most"), [(_HEADED, 50), (_NOT_HEADED, 140)])
def test_the_variables_lead_to_the_note(name: str, most: int, tmp_path: Path) -> None:
    fake = RecordedVm(name)
    (found,) = _found(fake, tmp_path / "q")
    assert (found.candidate.paddr, found.proof.proved, found.found_by) == (fake.note, True, "kernel")
    assert len(fake.pages) < most


@pytest.mark.parametrize(("name", "notes"), [(_HEADED, 1), (_NOT_HEADED, 0)])
def test_cpus_in_other_programs_leave_the_head_of_the_image(name: str, notes: int, tmp_path: Path) -> None:
    fake = RecordedVm(name)
    fake.registers = re.sub(r"\b(PC=|pc +)ffff", r"\g<1>0000", fake.registers)
    assert len(_found(fake, tmp_path / "q")) == notes
    assert len(fake.pages) < 100


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (_HEADED, "unknown command: 'gva2gpa'\r\n"),
        (_HEADED, "gpa: 0xffffffffffffffff\r\n"),
        (_NOT_HEADED, "Unmapped\r\n"),
    ],
)
def test_addresses_that_are_not_translated(name: str, said: str, tmp_path: Path) -> None:
    fake = RecordedVm(name)
    fake.translated = dict.fromkeys(fake.translated, said)
    assert _found(fake, tmp_path / "q") == ()
    assert len(fake.asked) < 200


def test_a_note_whose_text_is_another_one_is_not_taken(tmp_path: Path) -> None:
    fake = RecordedVm(_HEADED)
    page = fake.memory(fake.note, 4096)
    fake.change(fake.note, page.replace(b"OSRELEASE=6", b"OSRELEASE=5"))
    assert _found(fake, tmp_path / "q") == ()
