"""Test what learners read instead of the names of keys and of conditions."""

from __future__ import annotations

import pytest

from vmci_tui.lessons.conditions import FLAGS, NUMBERS, WORDS, parse
from vmci_tui.lessons.instructions import condition_words, instructions
from vmci_tui.lessons.lesson import headings, load


@pytest.mark.parametrize(
    ("press", "words"),
    [
        (["down until field == size"], "Down until the cursor is on size"),
        (["5", "right until cursor == 8"], "5, Right until the cursor is at byte 8"),
        (["4", "down until chosen == E14", "f"], "4, Down until the cursor is on finding E14, f"),
        (["down until write == 2"], "Down until the cursor is on write 2"),
        (["enter", "ctrl+u", "type 11", "enter"], "Enter, Ctrl+U (clears the field), type 11, Enter"),
        (["tab", "tab", "enter", "enter"], "Tab twice, Enter twice"),
        (["down"] * 5 + ["escape", "slash"], "Down 5 times, Esc, /"),
        (["type \x1b[31m"], r"type \x1b[31m"),
        (["f\x1b"], r"F\x1b"),
        ([], ""),
    ],
)
def test_keys_in_words(press: list[str], words: str) -> None:
    assert instructions(press) == words


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("entry.size == 0x1024", "size is 0x1024"),
        ("entry.size < 5 and entry.writes >= 3", "size is less than 5 and the number of writes is at least 3"),
        ("not entry.size < 5", "size is at least 5"),
        ("entry.present", "QEMU treats the note as present"),
        ("not note.present", "the dump has no note"),
        ("not not saved", "everything is saved"),
        ("finding N01", "finding N01 is listed"),
        ("finding N01 gone", "finding N01 is gone"),
        ("not finding N01", "finding N01 is gone"),
        ("not finding N01 gone", "finding N01 is listed"),
        ("key PAGESIZE", "the key PAGESIZE is in the text"),
        ("key PAGESIZE gone", "the key PAGESIZE is gone"),
        ("key PAGESIZE == two words", "PAGESIZE is two words"),
        ("not key A == 1", "A is not 1"),
        ("cursor in note", "the cursor is in the note"),
        ("not cursor in text", "the cursor is not in the text"),
        ("cursor > 8", "cursor is over 8"),
        ("cursor.paddr == 0x10", "the cursor is at paddr 0x10"),
        ("line == OSRELEASE", "the cursor is on OSRELEASE"),
        ("pane == hex", "the pane hex has the focus"),
        ("screen != main", "the screen main is not shown"),
        ("readers.drgn == accepts", "drgn accepts the file as it would be saved"),
        ("now.qemu == unknown", "qemu cannot judge the file on the disk"),
        ("note.proof == proved", "the note is proved"),
        ("note.proof != unknown", "memory judges the note"),
    ],
)
def test_conditions_in_words(condition: str, words: str) -> None:
    parse(condition)
    assert condition_words(condition) == words


def test_every_subject_has_words() -> None:
    for condition in (
        *FLAGS,
        *(f"{name} == 1" for name in NUMBERS),
        *(f"{n} == {w[0]}" for n, (_, w) in WORDS.items()),
    ):
        parse(condition)
        assert "==" not in condition_words(condition) and condition_words(condition), condition


def test_no_lesson_shows_a_condition() -> None:
    """`==` is for authors, not for learners."""
    for heading in headings():
        for step in load(heading.path).steps:
            assert "==" not in instructions(step.press), heading.name
