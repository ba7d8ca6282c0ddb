"""The sample images: each converts to a dump with the proved note, and the kernel's log is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.opened_files import open_document
from tests.paths import SAMPLES
from vmci_tui.cli.run import main
from vmci_tui.findings.judgement import Judgement


@pytest.mark.parametrize(("name", "release"), [("amd64.lime", "6.1.0-56-amd64"), ("arm64.qevm", "6.1.0-57-arm64")])
def test_a_sample_image_becomes_a_dump_with_its_note(
    name: str, release: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out.elf")
    assert main(["convert", str(SAMPLES / name), "-o", out]) == 0
    document = open_document(out)
    assert document.state.vmcoreinfo is not None
    assert document.state.vmcoreinfo.osrelease == release.encode()
    proof = Judgement.of(document).proof
    assert proof is not None and proof.proved
    capsys.readouterr()
    assert main(["log", out]) == 0
    assert f"Linux version {release}" in capsys.readouterr().out


def test_the_saved_guest_has_its_entry_and_its_processor() -> None:
    document = open_document(str(SAMPLES / "arm64.qevm"))
    assert document.state.entry is not None and document.state.entry.entry.paddr == 0x42728000
    assert [note.type for note in document.state.notes] == [1, 2]
