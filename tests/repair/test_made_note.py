"""Test the note that is made from the kernel's tables, as a question of a repair: of a guest without any copy of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kernel.cut_guests import scrubbed, unpacked
from tests.opened_files import open_document
from tests.paths import SAMPLES
from vmci_tui.cli.run import main
from vmci_tui.common.errors import EditError
from vmci_tui.document.document import Document
from vmci_tui.repair.safe_fixes import Choice, repair


@pytest.fixture
def bare(tmp_path: Path) -> tuple[Path, bytes]:
    """The dump, and the text that was in its memory."""
    path = unpacked("amd64-61", tmp_path)
    return path, scrubbed(path)[0]


def _note(document: Document) -> bytes:
    assert document.state.note is not None
    return document.state.note.desc


def test_it_is_offered_and_taken_only_on_request(bare: tuple[Path, bytes]) -> None:
    path, true = bare
    with open_document(str(path)) as document:
        asked = repair(document)
        assert asked.question and asked.made is not None and not asked.steps and not document.modified
        assert asked.made.proof.proved is True and not asked.made.made.left_out
        taken = repair(document, Choice(made=True))
        assert not taken.question and taken.steps[0].code == "N01" and _note(document) == true
        assert taken.readers.after["crash"].accepts and taken.proof is not None and taken.proof.proved


def test_the_command_writes_it_with_consent(
    bare: tuple[Path, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, true = bare
    out = tmp_path / "out.elf"
    assert main(["repair", str(path), "-o", str(out)]) == 1 and not out.exists()
    said = capsys.readouterr()
    assert "109 lines, proved" in said.out and "--yes kernel" in said.err and "--yes PADDR" not in said.err
    assert main(["repair", str(path), "-o", str(out), "--yes", "kernel", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["made"]["lines"]) == 109 and told["repair"]["steps"][0]["code"] == "N01"
    with open_document(str(out)) as document:
        assert _note(document) == true
    assert main(["repair", str(path), "-o", str(out), "--yes", "kernel,0x1000"]) == 2
    assert main(["strip", str(path), "-o", str(out), "--yes", "kernel"]) == 2


def test_where_memory_has_no_kernel_none_is_offered_and_none_made() -> None:
    with open_document(str(SAMPLES / "x86_64-no-note.elf")) as document:
        assert repair(document).made is None
        with pytest.raises(EditError):
            repair(document, Choice(made=True))
