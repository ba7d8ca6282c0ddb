"""Test the session without an app: its document, judgement, edits and commands."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.limits import PATIENCE
from tests.opened_files import open_document
from vmci_tui.common.errors import EditError, UsageError, VmciError
from vmci_tui.common.progress import no_progress
from vmci_tui.document import edit_entry, edit_notes, edit_text
from vmci_tui.document.edit import Edit
from vmci_tui.formats.entry_writes_json import encode
from vmci_tui.formats.fw_cfg_entry import EntryHistory, Write
from vmci_tui.readers.verdicts import VerdictPair
from vmci_tui.repair.safe_fixes import repair
from vmci_tui.tui.background import Background
from vmci_tui.tui.disk.save_session import SaveSession, overwritten_lines, undo_save, undoable_saves
from vmci_tui.tui.session import NOT_JUDGED, Session

Sample = Callable[[str], str]
_DUMP = "amd64-cut-note.elf"


class Around:
    """A session's host without an app: callbacks run when `deliver` is called."""

    def __init__(self, allowed: str | None = None) -> None:
        self.allowed = allowed
        self.versions: Mapping[str, str] = {}
        self.pool = ThreadPoolExecutor(1)
        self.errors: list[BaseException] = []
        self.waiting: list[Callable[[], None]] = []
        self.sessions: list[Session] = []

    def background(self) -> Background[Any]:
        return Background(self.waiting.append, self.pool)

    def failed(self, error: BaseException) -> None:
        self.errors.append(error)


@pytest.fixture
def around() -> Iterator[Around]:
    made = Around()
    with made.pool:
        yield made
        for session in made.sessions:
            session.stop()
    for session in made.sessions:
        session.document.close()


def _open(path: str, around: Around) -> tuple[Session, list[str]]:
    session = Session.open(path, None, around)
    news: list[str] = []
    session.changed.append(news.append)
    around.sessions.append(session)
    return session, news


def test_a_document_is_judged_on_request(sample: Sample, around: Around) -> None:
    session, news = _open(sample(_DUMP), around)
    assert session.judgement is None and session.found == () and news == []
    session.judge()
    assert news == ["judged"], "it announces that it is judging"
    judgement = session.settled()
    assert judgement is not None and judgement.now["crash"].accepts and news == ["judged", "judged"]
    assert any(step.reader == "crash" for step in session.next_commands())


def test_an_edit_is_reported_judged_undone_and_redone(
    sample: Sample, around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "patience", PATIENCE)
    session, news = _open(sample(_DUMP), around)
    assert session.edit(Edit.of(edit_notes.strip)) and news == ["edited", "judged"]
    assert session.judgement is not None and not session.judgement.after["crash"].accepts
    assert session.judgement.now["crash"].accepts, "the file on disk did not change"
    command = session.last_command()
    assert command is not None and command.startswith("$ vmci strip ")
    del news[:]
    undone = session.undo()
    assert undone is not None and news == ["state", "judged"] and session.undo() is None
    assert session.judgement.found == session.found and session.last_command() is None
    assert session.redo() == undone and session.redo() is None


def test_an_edit_that_cannot_be_made_changes_nothing(sample: Sample, around: Around) -> None:
    session, news = _open(sample(_DUMP), around)
    with pytest.raises(EditError):
        session.edit(Edit.of(edit_text.move_line, 1, -1))
    assert news == [] and not session.document.modified


def test_bytes_that_are_typed_in_a_row_are_one_step(sample: Sample, around: Around) -> None:
    session, _ = _open(sample(_DUMP), around)
    index = session.document.state.index
    assert index is not None
    at = session.document.state.notes[index].desc_start
    for number, byte in enumerate(b"ABC"):
        session.type_byte(index, at + number, bytes((byte,)))
    assert len(session.document.steps) == 1
    assert session.document.state.notes[index].desc.startswith(b"ABC")
    session.end_typing()
    session.type_byte(index, at + 3, b"D")
    assert len(session.document.steps) == 2


def test_a_preview_shows_what_readers_would_say_and_changes_nothing(sample: Sample, around: Around) -> None:
    session, _ = _open(sample(_DUMP), around)
    shown: list[VerdictPair | None] = []
    preview = session.preview(lambda typed: Edit.of(edit_text.set_key, b"PAGESIZE", typed.encode()))
    assert preview("4097", shown.append, PATIENCE)
    (both,) = shown
    assert both is not None and both.now["crash"].accepts and not session.document.modified
    failing = session.preview(lambda typed: Edit.of(edit_text.move_line, 1, -1))
    assert failing("x", shown.append, PATIENCE) and shown[1:] == [None]


def test_a_failed_judgement_is_reported(sample: Sample, around: Around, monkeypatch: pytest.MonkeyPatch) -> None:
    session, news = _open(sample(_DUMP), around)

    def fail(*_: object) -> None:
        raise IndexError

    monkeypatch.setattr("vmci_tui.findings.judgement.findings", fail)
    session.judge()
    assert session.settled() is None and session.not_judged == NOT_JUDGED
    assert news == ["judged", "judged"] and isinstance(around.errors[0], IndexError)


def test_a_judgement_from_before_an_edit_is_not_delivered(sample: Sample, around: Around) -> None:
    session, _ = _open(sample(_DUMP), around)
    session.judge()
    session.edit(Edit.of(edit_notes.strip))
    judgement = session.settled()
    assert judgement is not None and judgement.document.state == session.document.state
    for call in around.waiting:
        call()
    assert session.judgement is judgement
    session.stop()


def test_the_fixes_for_a_reader_and_of_a_repair(sample: Sample, around: Around) -> None:
    session, news = _open(sample("crlf.elf"), around)
    done = session.fix_for("drgn")
    assert done.accepts and done.labels and news[0] == "edited"
    while session.undo():
        pass
    tried = repair(session.document.snapshot())
    session.apply_repair(tried, keep_segments=True)
    assert len(session.document.steps) == len(tried.steps)
    command = session.last_command()
    assert command is not None and "repair" in command and "--keep-segments" in command


def test_the_session_knows_the_saved_state(sample: Sample, around: Around) -> None:
    session, news = _open(sample(_DUMP), around)
    assert session.shell_words("check FILE").startswith("$ vmci check ")
    session.edit(Edit.of(edit_notes.strip))
    assert session.shell_words("check FILE") == "", "the file on disk lacks the edit"
    del news[:]
    session.saved(entry=False, path="/tmp/copy.elf")
    assert session.saved_copy == "/tmp/copy.elf" and news[0] == "state" and not session.document.unsaved
    session.undo()
    assert session.saved_copy is None


def test_bookmarks_are_kept_with_the_file(sample: Sample, around: Around) -> None:
    path = sample(_DUMP)
    session, _ = _open(path, around)
    session.bookmarks.add("0x20")
    session.bookmarks.add("0x10")
    assert session.bookmarks.places(session.document.layout) == [(0x10, "0x10"), (0x20, "0x20")]
    session.bookmarks.remove("0x20")
    assert _open(path, around)[0].bookmarks.all == ("0x10",)


def test_nothing_outside_the_folder_is_opened(sample: Sample, tmp_path: Path) -> None:
    around = Around(str(tmp_path / "lesson"))
    with around.pool, pytest.raises(UsageError):
        Session.open(sample(_DUMP), None, around)


def test_a_copy_is_planned_and_saved_and_replaces_nothing_unasked(
    sample: Sample, around: Around, tmp_path: Path
) -> None:
    session, _ = _open(sample(_DUMP), around)
    session.edit(Edit.of(edit_text.delete_line, 2))
    saving, out = SaveSession(session.document, session.refuse_outside), tmp_path / "out.elf"
    assert saving.target(saving.default) == saving.default and saving.plan.strategy == "copy"
    for target in ("", str(tmp_path)):
        with pytest.raises(VmciError):
            saving.refuse(target)
    out.write_bytes(b"mine")
    with pytest.raises(VmciError, match="exists"):
        saving.refuse(str(out))
    saving.refuse(str(out))
    outcome = saving.copy(str(out), no_progress)
    assert outcome is not None and outcome.path == str(out) and "memory verified" in outcome.words
    assert open_document(str(out)).state.of_dump == session.document.state.of_dump


def test_a_save_that_makes_readers_refuse_is_asked_about_once(sample: Sample, around: Around, tmp_path: Path) -> None:
    session, _ = _open(sample(_DUMP), around)
    session.edit(Edit.of(edit_notes.strip))
    saving, out = SaveSession(session.document, session.refuse_outside), tmp_path / "out.elf"
    assert saving.copy(str(out), no_progress) is None and not out.exists()
    assert {item.reader for item in saving.harm.worse} >= {"crash", "drgn"} and "crash" in saving.question
    assert saving.copy(str(out), no_progress) is not None and out.exists()


@pytest.mark.parametrize("name", [_DUMP, "i386-qemu.kdump"])
def test_a_save_in_place_shows_its_plan_first_and_is_undone(
    name: str, sample: Sample, around: Around, tmp_path: Path
) -> None:
    path = shutil.copy(sample(name), str(tmp_path))
    before = Path(path).read_bytes()
    session, _ = _open(path, around)
    session.edit(Edit.of(edit_text.set_key, b"NEWKEY", b"x" * 5000))
    saving = SaveSession(session.document, session.refuse_outside)
    save = saving.plan_for_in_place()
    assert save.plan.strategy in ("lift", "append", "overwrite") and not save.harm.worse
    assert Path(path).read_bytes() == before, "asking changes nothing"
    outcome = saving.in_place(save, no_progress)
    assert outcome.in_place and Path(path).read_bytes() != before
    (undoable,) = undoable_saves(session.document)
    assert undoable.path == path and not undoable.forced
    session.document.close()
    assert "undone" in undo_save(path)
    assert Path(path).read_bytes() == before


def test_a_forced_undo_shows_what_it_overwrites(sample: Sample, around: Around, tmp_path: Path) -> None:
    path = shutil.copy(sample(_DUMP), str(tmp_path))
    session, _ = _open(path, around)
    session.edit(Edit.of(edit_text.set_key, b"NEWKEY", b"x" * 100))
    saving = SaveSession(session.document, session.refuse_outside)
    saving.in_place(saving.plan_for_in_place(), no_progress)
    at = Path(path).read_bytes().index(b"NEWKEY")
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(b"OTHERKEY" * 10)
    (save,) = undoable_saves(session.document)
    assert save.forced
    lines = overwritten_lines(path, 2)
    assert len(lines) == 3 and "more" in lines[2]


def test_an_entry_is_planned_again_for_another_name(sample: Sample, around: Around) -> None:
    session, _ = _open(sample("two-halves.write.json"), around)
    saving = SaveSession(session.document, session.refuse_outside)
    assert saving.default.endswith("two-halves-copy.write.json"), "a blob would lose the two writes"
    assert not saving.rename("x.write.json") and saving.rename("x.entry") and saving.rename(saving.default)


@pytest.mark.parametrize(
    ("name", "after", "offered"),
    [
        ("good.entry", (), "good-copy.entry"),
        ("good.entry", (Write(8, 8, bytes(8)),), "good.write.json"),
        ("whole.write.json", (), "whole.entry"),
    ],
)
def test_the_offered_name_keeps_all_writes(
    name: str, after: tuple[Write, ...], offered: str, sample: Sample, around: Around, tmp_path: Path
) -> None:
    whole = Write(0, 16, Path(sample("good.entry")).read_bytes())
    (tmp_path / "good.entry").write_bytes(whole.data or b"")
    (tmp_path / "whole.write.json").write_bytes(encode(EntryHistory("writes", (whole,))))
    session, _ = _open(str(tmp_path / name), around)
    for write in after:
        session.edit(Edit.of(edit_entry.add_write, write))
    assert SaveSession(session.document, session.refuse_outside).default == str(tmp_path / offered)


def test_nothing_outside_the_folder_is_saved(sample: Sample, tmp_path: Path) -> None:
    folder = tmp_path / "lesson"
    folder.mkdir()
    path = shutil.copy(sample(_DUMP), str(folder))
    around = Around(str(folder))
    with around.pool:
        session, _ = _open(path, around)
        saving = SaveSession(session.document, session.refuse_outside)
        with pytest.raises(UsageError):
            saving.refuse(str(tmp_path / "out.elf"))
        saving.refuse(str(folder / "out.elf"))
        session.document.close()


def test_versions_of_readers_are_checked_and_judge_again(sample: Sample, around: Around) -> None:
    session, _ = _open(sample("x86_64-bad-phys-base.elf"), around)
    session.judge()
    judgement = session.settled()
    assert judgement is not None and judgement.now["drgn"].accepts is False
    session.choose_version("drgn", "0.0.22")
    judgement = session.settled()
    assert judgement is not None and judgement.now["drgn"].accepts is True
    assert session.shell_words("check FILE READERS").endswith(" --reader drgn=0.0.22")
    with pytest.raises(UsageError, match="is not a version"):
        session.choose_version("drgn", "new")
    session.choose_version("drgn", "")
    assert around.versions == {} and not session.shell_words("check FILE READERS").endswith("0.0.22")
    around.allowed = "/nowhere"
    with pytest.raises(UsageError, match="browser"):
        session.choose_installed(lambda _: None)


def test_next_commands_are_judged_after_the_judgement_was_delivered(sample: Sample, around: Around) -> None:
    """They try fixes, with the budget of a job that ended, which is not one that was stopped."""
    session, _ = _open(sample("i386-qemu.kdump"), around)
    session.judge()
    assert session.settled() is not None
    assert any("repair" in command.command for command in session.next_commands())
