"""Test the session without an app: its document, judgement, edits and commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.limits import PATIENCE
from vmci_tui.common.errors import EditError, UsageError
from vmci_tui.document import edit_notes, edit_text
from vmci_tui.document.edit import Edit
from vmci_tui.readers.verdicts import VerdictPair
from vmci_tui.repair.safe_fixes import repair
from vmci_tui.tui.background import Background
from vmci_tui.tui.session import NOT_JUDGED, Session

Sample = Callable[[str], str]
_DUMP = "amd64-cut-note.elf"


class Around:
    """A session's host without an app: callbacks run when `deliver` is called."""

    def __init__(self, allowed: str | None = None) -> None:
        self.allowed = allowed
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


def test_what_is_opened_is_judged_when_that_is_asked_for(sample: Sample, around: Around) -> None:
    session, news = _open(sample(_DUMP), around)
    assert session.judgement is None and session.found == () and news == []
    session.judge()
    assert news == ["judged"], "it announces that it is judging"
    judgement = session.settled()
    assert judgement is not None and judgement.now["crash"].accepts and news == ["judged", "judged"]
    assert any(step.reader == "crash" for step in session.next_commands())


def test_an_edit_is_said_and_judged_and_undone_and_made_again(
    sample: Sample, around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "patience", PATIENCE)
    session, news = _open(sample(_DUMP), around)
    assert session.edit(Edit.of(edit_notes.strip)) and news == ["edited", "judged"]
    assert session.judgement is not None and not session.judgement.after["crash"].accepts
    assert session.judgement.now["crash"].accepts, "the file on disk did not change"
    command = session.last_command()
    assert command is not None and command.startswith("vmci strip ")
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


def test_a_judgement_that_fails_is_said(sample: Sample, around: Around, monkeypatch: pytest.MonkeyPatch) -> None:
    session, news = _open(sample(_DUMP), around)

    def fail(*_: object) -> None:
        raise IndexError

    monkeypatch.setattr("vmci_tui.findings.judgement.findings", fail)
    session.judge()
    assert session.settled() is None and session.not_judged == NOT_JUDGED
    assert news == ["judged", "judged"] and isinstance(around.errors[0], IndexError)


def test_what_was_asked_before_an_edit_is_not_delivered(sample: Sample, around: Around) -> None:
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


def test_what_was_saved_is_known(sample: Sample, around: Around) -> None:
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
    session.add_bookmark("0x20")
    session.add_bookmark("0x10")
    assert session.bookmarked_places() == [(0x10, "0x10"), (0x20, "0x20")]
    session.remove_bookmark("0x20")
    assert _open(path, around)[0].bookmarks == ("0x10",)


def test_nothing_outside_the_folder_is_opened(sample: Sample, tmp_path: Path) -> None:
    around = Around(str(tmp_path / "lesson"))
    with around.pool, pytest.raises(UsageError):
        Session.open(sample(_DUMP), None, around)
