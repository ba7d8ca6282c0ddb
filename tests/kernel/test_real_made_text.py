"""Test the note that is made from the tables of real kernels: in CI cut guests, with VMCI_GUESTS all whole dumps.

VMCI_GUESTS names a folder with dumps of booted guests in `*/dumps/*.elf`. The note in their memory is the standard.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.kernel.cut_guests import scrubbed, unpacked
from tests.opened_files import open_document
from vmci_tui.adoption.choose import search
from vmci_tui.adoption.made_note import MadeNote, make_note
from vmci_tui.cli.run import main
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.kernel.facts.running_kernel import NotKnown

_LEAST = {"amd64-61": 109, "amd64-612-panic": 48, "s390x-61": 37}
"""Lines that are made; the first is the whole note, the second guest was cut to what its symbols need."""
_GUESTS = sorted(Path(os.environ["VMCI_GUESTS"]).glob("*/dumps/*.elf")) if "VMCI_GUESTS" in os.environ else []


def _compared(made: MadeNote, true: bytes) -> int:
    """Return how many lines of the true text were made; none may be another one, or in another order."""
    lines, mine = true.splitlines(), made.made.text.text.splitlines()
    true_lines = [line for line in lines if line in set(mine)]
    assert mine == true_lines
    return len(mine)


def _made(guest: Guest) -> MadeNote:
    found = make_note(guest, None, no_progress)
    assert not isinstance(found, NotKnown), found
    return found


@pytest.mark.parametrize("name", _LEAST)
def test_without_any_copy_of_the_note_only_its_true_lines_are_made(name: str, tmp_path: Path) -> None:
    path = unpacked(name, tmp_path)
    true, copies = scrubbed(path)
    with open_document(str(path)) as document:
        assert document.dump is not None
        guest = guest_of(document.dump)
        assert copies and not search(guest, no_progress)
        assert _compared(_made(guest), true) == _LEAST[name]


def test_the_made_note_is_appended_with_the_source_of_each_line(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = unpacked("amd64-61", tmp_path)
    true, _ = scrubbed(path)
    out = tmp_path / "out.elf"
    assert main(["append", str(path), "--from-kernel", "-o", str(out), "--json"]) == 0
    made = json.loads(capsysbinary.readouterr().out)["made"]
    assert made["release"] == "6.1.0-56-amd64" and made["proof"]["proved"] is True and not made["left_out"]
    assert all(line["by"] for line in made["lines"]) and len(made["lines"]) == len(true.splitlines())
    with open_document(str(out)) as document:
        note = document.state.note
        assert note is not None and note.desc == true
    assert main(["append", str(path), "--from-kernel", "--dry-run"]) == 0
    assert capsysbinary.readouterr().out.startswith(b"made      OSRELEASE=6.1.0-56-amd64, by ")


@pytest.mark.long
@pytest.mark.skipif(not _GUESTS, reason="VMCI_GUESTS names no folder with dumps of booted guests")
@pytest.mark.parametrize("path", _GUESTS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_of_whole_guests_only_true_lines_are_made(path: Path, tmp_path: Path) -> None:
    """With symbols of variables and types most lines, elsewhere more than half: by content, and by the version."""
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    true, _ = scrubbed(copy)
    with open_document(str(copy)) as document:
        assert document.dump is not None
        found = make_note(guest_of(document.dump), None, no_progress)
    copy.unlink()
    made = 0 if isinstance(found, NotKnown) else _compared(found, true)
    assert made >= _least(path) * len(true.splitlines())


def _least(path: Path) -> float:
    """Return which part of the lines is made at least, by the release of Debian and the machine."""
    release, machine = path.parts[-3], path.stem.partition("-")[0]
    if machine in ("amd64", "riscv64") or (release == "sid" and machine in ("ppc64el", "s390x")):
        return 0.95
    if machine == "arm64":  # 6.1 has no symbols of variables
        return 0.8 if release == "bookworm" else 1
    return 0.6
