"""Say in words what a step asks for: the keys to press, and the condition up to which one is pressed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.lessons.lesson import TYPE, UNTIL

_KEYS: Final = {
    "question_mark": "?",
    "slash": "/",
    "plus": "+",
    "equals_sign": "=",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "pagedown": "Page Down",
    "pageup": "Page Up",
    "escape": "Esc",
    "ctrl+u": "Ctrl+U (clears the field)",
}
_TIMES: Final = {1: "", 2: " twice", 3: " three times", 4: " four times"}
_CURSOR: Final = {
    "field": "the cursor is {} {}",
    "write": "the cursor is {} write {}",
    "chosen": "the cursor is {} finding {}",
    "line": "the cursor is {} {}",
    "cursor": "the cursor is {} byte {}",
    "cursor.paddr": "the cursor is {} paddr {}",
}
"""Subjects that are a place of a cursor."""
_SHOWN: Final = {"screen": "the screen {} is {}shown", "pane": "the pane {} has {}the focus"}
_STATES: Final = {
    "entry.present": "QEMU treats the note as present",
    "note.present": "the dump has a note",
    "saved": "everything is saved",
    "unsaved": "there are unsaved edits",
    "explaining": "the meaning of keys is shown",
    "file.changed": "the file itself has changed",
}
_NOT_STATES: Final = {
    "entry.present": "QEMU treats the note as absent",
    "note.present": "the dump has no note",
    "saved": "something is not saved",
    "unsaved": "there are no unsaved edits",
    "explaining": "the meaning of keys is hidden",
    "file.changed": "the file itself is as it was",
}
_ORDER: Final = {
    "==": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is over",
    ">=": "is at least",
}
_OPPOSITE: Final = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_NUMBERS: Final = {
    "entry.writes": "the number of writes",
    "note.count": "the number of notes",
    "lines.confirmed": "the number of confirmed lines",
    "lines.contradicted": "the number of contradicted lines",
    "edits": "the number of edits",
}


def instructions(press: Sequence[str]) -> Safe:
    """Return the keys of a step as a learner reads them: `5, Right until the cursor is at byte 8`."""
    items = ((_item(item), len(list(same))) for item, same in groupby(press))
    return Safe(", ".join(words + _TIMES.get(count, f" {count} times") for words, count in items))


def _item(item: str) -> str:
    if item.startswith(TYPE):
        return visible(item)
    name, until, condition = item.partition(UNTIL)
    return _key(name) + until + (until and condition_words(condition))


def _key(name: str) -> str:
    if len(name) == 1:
        return visible(name)
    return _KEYS.get(name) or visible("+".join(part.capitalize() for part in name.split("+")))


def condition_words(condition: str) -> Safe:
    """Return a valid condition as a part of an English sentence."""
    return Safe(" and ".join(_part(part.split(), True) for part in condition.strip().split(" and ")))


def _part(words: list[str], wanted: bool) -> str:
    """Return the words for one part; `wanted` is False after an odd number of `not`."""
    if words[0] == "not":
        return _part(words[1:], not wanted)
    first, rest = words[0], words[1:]
    if first in _STATES:
        return (_STATES if wanted else _NOT_STATES)[first]
    if first == "finding":
        return f"finding {rest[0]} is {'gone' if (rest[-1] == 'gone') is wanted else 'listed'}"
    if first == "key" and len(rest) < 3:
        return f"the key {visible(rest[0])} is {'gone' if (rest[-1] == 'gone') is wanted else 'in the text'}"
    if rest[0] == "in":
        return f"the cursor is {'' if wanted else 'not '}in the {rest[1]}"
    subject, (sign, *value) = (f"key {rest[0]}", rest[1:]) if first == "key" else (first, rest)
    return _compared(subject, sign if wanted else _OPPOSITE[sign], visible(" ".join(value)))


def _compared(subject: str, sign: str, value: Safe) -> str:
    if subject in _SHOWN:
        return _SHOWN[subject].format(value, "" if sign == "==" else "not ")
    if subject in _CURSOR and sign in ("==", "!="):
        place = "at" if subject.startswith("cursor") else "on"
        return _CURSOR[subject].format(place if sign == "==" else f"not {place}", value)
    if subject.startswith(("readers.", "now.")):
        reader = subject.partition(".")[2]
        told = value if value != "unknown" else "cannot judge"
        file = "the file as it would be saved" if subject.startswith("readers.") else "the file on the disk"
        return f"{reader} {told} {file}" if sign == "==" else f"{reader} no longer {told} {file}"
    if subject == "note.proof":
        if value == "unknown":
            return f"memory {'cannot judge' if sign == '==' else 'judges'} the note"
        return f"the note is {'' if sign == '==' else 'not '}{value}"
    name = _NUMBERS.get(subject) or subject.removeprefix("entry.").removeprefix("key ")
    return f"{visible(name)} {_ORDER[sign]} {value}"
