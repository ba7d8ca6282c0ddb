"""Test lessons as data: reading, refusals with their messages, and the meaning of each condition."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.opened_files import open_document
from tests.paths import DOCS, SAMPLES
from vmci_tui.common.errors import OpenError, UsageError
from vmci_tui.document import edit_notes
from vmci_tui.document.byte_map import Places
from vmci_tui.document.edit import Edit
from vmci_tui.findings.judgement import Judgement
from vmci_tui.lessons.conditions import FLAGS, NUMBERS, PANES, SCREENS, WORDS, UiState, holds, parse
from vmci_tui.lessons.lesson import PLACES, TYPE, UNTIL, copy_files, find_lesson, headings, load
from vmci_tui.readers.verdicts import NAMES

_PAGE = (DOCS / "lessons.md").read_text()
_HEAD = 'title = "A"\nstory = "B"\nfiles = ["good.entry"]\n'


def _seen(name: str, blob: str | None = None, **more: Any) -> UiState:
    """Return the state that conditions of a lesson check, for a sample without a screen."""
    document = open_document(str(SAMPLES / name), str(SAMPLES / blob) if blob else None)
    return UiState(document, Judgement.of(document), screen="main")._replace(**more)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("entry.size == 4132", True), ("entry.size == 0x1024", True), ("entry.size != 4132", False),
        ("entry.size < 4132", False), ("entry.size >= 4132", True), ("entry.paddr == 0x19c8000", True),
        ("entry.writes == 1", True), ("entry.present", True), ("not entry.present", False),
        ("entry.present and entry.size == 4132", True), ("entry.present and entry.size == 1", False),
        ("not entry.present and entry.size == 4132", False), ("not not entry.present", True),
        ("note.present", False), ("note.proof == unknown", False), ("key PAGESIZE", False),
        ("key PAGESIZE gone", True), ("key PAGESIZE != 1", False), ("edits == 0", True), ("cursor.paddr == 0", False),
        ("screen == main", True), ("screen != readers", True), ("readers.drgn == accepts", False),
        ("finding E01 gone", True), ("finding E01", False), ("unsaved", False), ("saved", False),
    ],
)  # fmt: skip
def test_conditions_of_an_entry(condition: str, expected: bool) -> None:
    assert holds(parse(condition), _seen("good.entry")) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("note.present and note.count == 1", True), ("note.proof == proved", True), ("entry.size == 0", False),
        ("key PAGESIZE == 4096", True), ("key NUMBER(phys_base) == -719323136", True), ("key NONE gone", True),
        ("readers.crash == accepts and now.crash == accepts", True), ("readers.qemu == unknown", True),
        ("finding N01 gone", True), ("entry.present", False), ("entry.size != 1", False),
    ],
)  # fmt: skip
def test_conditions_of_a_dump(condition: str, expected: bool) -> None:
    assert holds(parse(condition), _seen("amd64-cut-note.elf")) is expected


def test_conditions_of_edits() -> None:
    known = _seen("crlf.elf")
    document = known.document
    assert document is not None
    assert holds(parse("finding T02 and readers.drgn == refuses and not unsaved"), known)
    finding = next(item for item in known.found if item.code == "T02")
    assert finding.fix is not None
    document.edit(finding.fix)
    after = known._replace(judgement=Judgement.of(document))
    assert holds(parse("finding T02 gone and readers.drgn == accepts and now.drgn == refuses"), after)
    assert holds(parse("edits == 1 and unsaved and not saved"), after)
    document.mark_saved(entry=False)
    assert holds(parse("saved and not unsaved"), after)
    document.edit(Edit.of(edit_notes.strip))
    assert holds(parse("unsaved and not saved and not note.present"), after)


def test_conditions_of_the_screen() -> None:
    shown = UiState(screen="choose", pane="hex", key=b"a\x1bb", finding="N01", field="size", write=2, explaining=True)
    assert holds(parse("screen == choose and pane == hex and chosen == N01 and field == size and write == 2"), shown)
    assert holds(parse(r"line == a\x1bb and explaining and not file.changed"), shown)
    assert not holds(parse("screen == choose and pane == keys"), shown)
    assert not holds(parse("cursor in note"), shown)


@pytest.mark.parametrize("area", ["head", "note", "text", "memory"])
def test_conditions_of_the_cursor(area: str) -> None:
    known = _seen("amd64-cut-note.elf")
    document = known.document
    assert document is not None and document.state.index is not None
    layout = document.layout
    note = layout.note_offsets[document.state.index]
    desc = note + layout.notes[document.state.index].desc_start
    paddr = layout.memory.offset_of(0x19C8000)
    assert paddr is not None
    places = Places(document)
    at = {"head": 4, "note": note + 1, "text": desc + 3, "memory": paddr}
    found = {
        name
        for name, offset in at.items()
        if holds(parse(f"cursor in {area}"), known._replace(cursor=offset, place=places.at(offset)))
    }
    assert found == ({"note", "text"} if area == "note" else {area})
    assert holds(parse("cursor.paddr == 0x19c8000"), known._replace(cursor=paddr))


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("", "the condition is empty"),
        ("entry.sizes == 1", "did you mean entry.size?"),
        ("entry.size", "entry.size needs =="),
        ("entry.size = 1", "needs =="),
        ("entry.size == big", "is not a number"),
        ("entry.present == yes", "nothing can follow it"),
        ("screen == redaers", "screen cannot be redaers"),
        ("pane > hex", "pane needs == or !="),
        ("readers.gdb == accepts", "unknown word readers.gdb"),
        ("readers.drgn == ok", "cannot be ok"),
        ("finding X99", "unknown finding X99"),
        ("finding N01 maybe", "unknown finding N01 maybe"),
        ("chosen == X1", "chosen cannot be X1"),
        ("key", "the name of a key is missing"),
        ("key A is B", "key A needs"),
        ("cursor in there", "cursor in cannot be there"),
        ("not", "the condition is empty"),
        ("entry.present and", "nothing can follow it"),
        ("\x1b[31m == 1", r"\x1b[31m"),
        ("not " * 100_000 + "saved", "the condition has 400005 characters"),
    ],
)
def test_invalid_conditions(condition: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(condition)
    assert words in str(error.value) and "\n" not in str(error.value) and "\x1b" not in str(error.value)


def _lesson(tmp_path: Path, text: str) -> str:
    path = tmp_path / "07-mine.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title = ", "it is not TOML"),
        ('story = "B"\n', "title is missing"),
        ('title = "A"\nstory = "B"\n', "files is missing"),
        ('title = "A"\nstory = "B"\nfiles = []\n', "files is empty"),
        (_HEAD.replace('"good.entry"', ", ".join(['"good.entry"'] * 21)), "files has 21 names"),
        (_HEAD, "it has no steps"),
        (_HEAD + "step = 3\n", "it has no steps"),
        (_HEAD.replace("good.entry", "gone.elf") + '[[step]]\ntext = "x"', "there is no file gone.elf"),
        (_HEAD.replace("good.entry", "../x") + '[[step]]\ntext = "x"', "../x is not a plain file name"),
        (_HEAD.replace("good.entry", "lessons") + '[[step]]\ntext = "x"', "there is no file lessons"),
        (_HEAD + 'entry = "x"\n[[step]]\ntext = "x"', "`entry` must be one of `files`"),
        (_HEAD + 'more = 1\n[[step]]\ntext = "x"', "unknown key more in a lesson"),
        (_HEAD + "[[step]]\n", "step 1: text is missing"),
        (_HEAD + '[[step]]\ntext = "x"\n[[step]]\ntext = "y"\nat = "nowhere"', "step 2: at cannot be nowhere"),
        (_HEAD + '[[step]]\ntext = "x"\ndone = "entry.sizes == 1"', "step 1: done: unknown word entry.sizes"),
        (_HEAD + '[[step]]\ntext = "x"\ndone = 3', "step 1: done is missing, or not a text"),
        (_HEAD + '[[step]]\ntext = "x"\npress = "f"', "step 1: press is missing, or not a list"),
        (_HEAD + '[[step]]\ntext = "x"\npress = [""]', "step 1: press: an empty key"),
        (_HEAD + '[[step]]\ntext = "x"\npress = ["down until it"]', "step 1: press: unknown word it"),
        (_HEAD + '[[step]]\ntext = "x"\nwhen = "y"', "step 1: unknown key when in a step"),
    ],
)
def test_invalid_lessons(tmp_path: Path, text: str, words: str) -> None:
    path = _lesson(tmp_path, text)
    with pytest.raises(OpenError) as error:
        load(path)
    assert str(error.value).startswith(path) and words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe", b"\x00" * 9, b"[" * 4000, b'a = "' + b"\\u0000" * 100, b"",
        b"a = " + b"9" * 5000, b"a." * 100_000 + b"a = 1", b"x" * (1 << 18) + b"x",
    ],
)  # fmt: skip
def test_hostile_bytes_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(data)
    with pytest.raises(OpenError):
        load(str(path))
    with pytest.raises(OpenError):
        headings(str(tmp_path))


def test_a_lesson_is_a_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.toml")
    (tmp_path / "b.toml").symlink_to("/dev/zero")
    for name in ("a.toml", "b.toml"):
        with pytest.raises(OpenError, match="not a regular file"):
            load(str(tmp_path / name))
    with pytest.raises(OpenError, match="not a regular file"):
        headings(str(tmp_path))


def test_a_folder_of_lessons(tmp_path: Path) -> None:
    for name in ("10-last.toml", "2_first.toml", "b.toml"):
        (tmp_path / name).write_text(_HEAD + '[[step]]\ntext = "x"\n')
    (tmp_path / "notes.txt").write_text("no lesson")
    found = headings(str(tmp_path))
    assert [heading.name for heading in found] == ["last", "first", "b"]
    assert find_lesson("2", found).name == "first" and find_lesson("b", found).name == "b"
    with pytest.raises(UsageError, match="unknown lesson c; choose from last, first, b"):
        find_lesson("c", found)
    with pytest.raises(OpenError, match="is not a folder with lessons"):
        headings(str(tmp_path / "gone"))


def test_files_are_copied_again(tmp_path: Path) -> None:
    mine, folder = tmp_path / "mine", tmp_path / "folder"
    mine.mkdir()
    folder.mkdir()
    (mine / "good.entry").write_bytes(b"my own")  # a file beside the lesson is used before the sample of that name
    lesson = load(_lesson(mine, _HEAD + '[[step]]\ntext = """one\ntwo"""\n'))
    assert lesson.steps[0].text == "one two" and lesson.steps[0].done is None
    copy_files(lesson, str(folder))
    (folder / "good.entry").write_bytes(b"changed")
    (folder / "more").write_bytes(b"")
    copy_files(lesson, str(folder))
    assert [path.name for path in folder.iterdir()] == ["good.entry"]
    assert (folder / "good.entry").read_bytes() == b"my own" == (mine / "good.entry").read_bytes()


def test_the_bundled_lessons() -> None:
    found = headings()
    lessons = [load(heading.path) for heading in found]
    assert len(lessons) >= 10 and len({lesson.name for lesson in lessons}) == len(lessons)
    for lesson in lessons:
        for number, step in enumerate(lesson.steps, 1):
            where = f"{lesson.name}, step {number}"
            assert step.done is not None and step.press and step.at, where
            assert step.text.isascii() and step.text.isprintable() and len(step.text) <= 235, where


def test_the_page_describes_every_condition() -> None:
    words = (*FLAGS, *NUMBERS, *WORDS, *PLACES, *PANES, *SCREENS, *NAMES, TYPE, UNTIL)
    known = {f"now.{name}" for name in NAMES} | {f"readers.{name}" for name in NAMES}
    for word in set(words) - known:
        assert re.search(rf"`[^`]*{re.escape(word.strip())}\b[^`]*`", _PAGE), word
