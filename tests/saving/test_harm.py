"""Test that a save that makes a reader refuse needs consent, and that removed contents are named."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.dumps.factory import elf, note
from tests.dumps.kdump_factory import flattened, kdump, pages
from tests.kit import become
from tests.opened_files import open_document
from tests.paths import DATA
from vmci_tui.cli.commands import unflatten as unflattening
from vmci_tui.cli.run import main
from vmci_tui.common.errors import UsageError
from vmci_tui.document import edit_notes, edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.state import State
from vmci_tui.findings import Finding
from vmci_tui.findings.judgement import Judgement
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers.file_view import View
from vmci_tui.readers.verdicts import judge_file
from vmci_tui.repair.safe_fixes import repair
from vmci_tui.saving.harm import Consent, Harm, LostReader, consent, harm_of, lost_readers
from vmci_tui.saving.plan import plan_copy, plan_in_place

Sample = Callable[[str], str]
_DATA = DATA / "kdump"


def _unasked(document: Document, agreed: Consent) -> list[str]:
    return [item.reader for item in harm_of(document, plan_copy(document)).unasked(agreed)]


def _open(path: str, edit: Callable[[State], State]) -> Document:
    document = open_document(path)
    assert document.edit(become(edit(document.state)))
    return document


def test_a_save_that_every_reader_accepts_does_no_harm(sample: Sample) -> None:
    document = _open(sample("amd64-cut-note.elf"), lambda s: edit_text.set_key(s, b"CRASHTIME", b"1"))
    for plan in (plan_copy(document), plan_in_place(document)):
        assert harm_of(document, plan) == ((), ())


@pytest.fixture(params=["amd64-cut-note.elf", "x86_64-linux-good.elf", "x86_64-kaslr.kdump"])
def accepted(request: pytest.FixtureRequest, sample: Sample, tmp_path: Path) -> str:
    """Return a dump that crash and drgn accept."""
    if not request.param.endswith(".kdump"):
        return sample(request.param)
    path = tmp_path / request.param
    path.write_bytes(gzip.decompress((_DATA / f"{request.param}.gz").read_bytes()))
    return str(path)


def test_removing_a_needed_key_is_a_question(accepted: str) -> None:
    document = _open(accepted, lambda s: edit_text.delete_key(s, b"OSRELEASE"))
    unasked = _unasked(document, Consent())
    assert "crash" in unasked
    assert _unasked(document, consent(",".join(f"worse:{reader}" for reader in unasked))) == []
    assert _unasked(document, consent("worse")) == []
    assert _unasked(document, consent(f"worse:{unasked[0]}")) == unasked[1:]


def test_stripping_a_note_does_not_ask_about_the_missing_note(accepted: str) -> None:
    document = _open(accepted, edit_notes.strip)
    harm = harm_of(document, plan_copy(document))
    assert harm.worse and harm.taken_out == ("the VMCOREINFO note",)
    assert harm.unasked(Consent(without_note=True)) == ()


def test_a_reader_for_another_machine_is_not_counted() -> None:
    """It does not read such a dump; that it takes an unnamed machine for its own need not be kept."""
    raw = kdump(pages(1, 2), uts={})
    named = kdump(pages(1, 2), uts={"machine": b"aarch64"})
    now, after = (judge_file(View(BytesSource(data))) for data in (raw, named))
    assert "crash" not in [item.reader for item in lost_readers(now, after)]


def test_a_removed_note_of_a_cpu_is_named(sample: Sample) -> None:
    path = sample("amd64-cut-note.elf")
    index = next(at for at, note in enumerate(open_document(path).state.notes) if not note.is_vmcoreinfo)
    document = _open(path, lambda s: edit_notes.drop_note(s, index))
    assert [str(words) for words in harm_of(document, plan_copy(document)).taken_out] == [
        "the note CORE\\x00 of type 0x1, 336 bytes"
    ]


def test_a_removed_note_without_a_name_is_said_to_have_none(tmp_path: Path) -> None:
    path = tmp_path / "nameless.elf"
    path.write_bytes(elf([note(b"abcd", b"", 7), note()]))
    document = _open(str(path), lambda s: edit_notes.drop_note(s, 0))
    assert [str(words) for words in harm_of(document, plan_copy(document)).taken_out] == [
        "the note without a name of type 0x7, 4 bytes"
    ]


def test_consent_is_typed_as_words() -> None:
    assert consent(None) == Consent()
    assert consent("0x1000,worse:crash") == Consent("0x1000", frozenset({"crash"}))
    with pytest.raises(UsageError, match="unknown reader"):
        consent("worse:gdb")


@pytest.mark.parametrize("where", [["-o", "out.elf"], ["--in-place"]])
def test_nothing_is_written_without_consent(
    sample: Sample,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    where: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(sample("amd64-cut-note.elf"), "a.elf")
    before = Path("a.elf").read_bytes()
    command = ["set", "a.elf", "--delete", "OSRELEASE", *where]
    assert main(command) == 1
    said = capsys.readouterr()
    assert "crash accepts the file" in said.err and "--yes worse:crash,worse:drgn" in said.err and not said.out
    assert Path("a.elf").read_bytes() == before and not Path("out.elf").exists()
    assert main([*command, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert {item["reader"] for item in told["worse"]} >= {"crash", "drgn"} and told["taken_out"] == []
    assert main([*command, "--yes", "0x1000"]) == 2
    assert main([*command, "--yes", "worse"]) == 0
    assert Path(where[-1] if where[0] == "-o" else "a.elf").read_bytes() != before


def test_repair_makes_no_fix_that_a_reader_refuses(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a fix that the catalogue calls safe is not made: here it would remove the release."""
    from vmci_tui.findings import judgement

    path = sample("crlf.elf")
    document = open_document(path)
    real = Judgement.of(document).found
    assert any(f.code == "T03" or f.fix for f in real)

    def broken(*_: object) -> tuple[Finding, ...]:
        harmful = Edit.of(edit_text.delete_key, b"OSRELEASE").named("take the release out")
        return (Finding("T03", "warning", "made up", "for the test", None, harmful),)

    monkeypatch.setattr(judgement, "findings", broken)
    accepted = [name for name, verdict in repair(document).readers.now.items() if verdict.accepts]
    assert accepted and "take the release out" not in document.labels


def test_a_reader_that_loses_memory_does_worse(sample: Sample) -> None:
    now = Judgement.of(open_document(sample("amd64-cut-note.elf"))).shown
    assert now["drgn"].accepts and now["drgn"].reads
    blind = {**now, "drgn": replace(now["drgn"], reads=False)}
    assert [item.reader for item in lost_readers(now, blind)] == ["drgn"]
    assert lost_readers(blind, blind) == lost_readers(blind, now) == ()


def test_unflatten_asks_too_and_reports_it_in_json(
    sample: Sample, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = tmp_path / "flat", tmp_path / "out"
    path.write_bytes(flattened(kdump(pages(1, 2))))
    refuses = Judgement.of(_open(sample("amd64-cut-note.elf"), edit_notes.strip)).shown["crash"]
    monkeypatch.setattr(unflattening, "harm_of_plain", lambda *_: Harm((LostReader("crash", refuses),)))
    assert main(["unflatten", str(path), "-o", str(out), "--json"]) == 1 and not out.exists()
    said = capsys.readouterr()
    assert json.loads(said.out)["worse"][0]["reader"] == "crash" and "--yes worse:crash" in said.err
    assert main(["unflatten", str(path), "-o", str(out), "--yes", "worse:crash"]) == 0 and out.exists()
