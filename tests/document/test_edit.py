"""Test edits as values: label, effect, and equality by kind and arguments."""

from __future__ import annotations

from inspect import getmembers, isfunction, signature

import pytest

from tests.dumps.factory import elf, note
from tests.kit import opened
from vmci_tui.document import edit, edit_entry, edit_headers, edit_notes, edit_text
from vmci_tui.document.edit import Edit, several
from vmci_tui.document.edit_notes import FromFile, FromMemory
from vmci_tui.document.state import State
from vmci_tui.formats.fw_cfg_entry import Write

_NOTE = edit_notes.note_around(b"OSRELEASE=6\n", "little")
_MODULES = (edit, edit_entry, edit_headers, edit_notes, edit_text)
_EFFECTS = [
    effect
    for module in _MODULES
    for name, effect in getmembers(module, isfunction)
    if effect.__module__ == module.__name__ and not name.startswith("_") and "state" in signature(effect).parameters
]


def test_edits_with_equal_kind_and_arguments_are_equal() -> None:
    one = Edit.of(edit_text.set_key, b"A", b"1")
    assert one == Edit.of(edit_text.set_key, value=b"1", key=b"A") and hash(one) == hash(one.named("x").named(""))
    assert one != Edit.of(edit_text.set_key, b"A", b"2") and one != Edit.of(edit_text.add_key, b"A", b"1")


def test_the_effect_is_that_of_the_function() -> None:
    state = opened(elf((note(b"A=0\n"),))).state
    assert Edit.of(edit_text.set_key, b"A", b"1").apply(state) == edit_text.set_key(state, b"A", b"1")
    both = Edit.of(several, (Edit.of(edit_text.set_key, b"A", b"1"), Edit.of(edit_text.add_key, b"B", b"2")))
    text = both.apply(state).vmcoreinfo
    assert text is not None and text.text == b"A=1\nB=2\n" and both.label == "set A to 1; add B=2"


@pytest.mark.parametrize("effect", _EFFECTS, ids=lambda effect: effect.__name__)
def test_every_edit_has_a_label_of_safe_text(effect: edit.Effect) -> None:
    odd = {
        "key": b"\x1b[31m", "name": "size", "found": FromMemory(_NOTE, 0x1000, "text"), "write": Write(4, 2, b"ab"),
        "writes": (Write(4, 2, b"ab"),),
        "edits": (Edit.of(edit_notes.strip),), "body": b"\xff=", "old": b"\r\n", "new": b"\n", "value": 7,
    }  # fmt: skip
    if effect in (edit_text.set_key, edit_text.add_key, edit_headers.set_header):
        odd["value"] = b"\x9b"
    if effect is edit_notes.rename_note:
        odd["name"] = b"VMCOREINFO\0"
    arguments = {name: odd.get(name, 1) for name in list(signature(effect).parameters)[1:]}
    label = Edit.of(effect, **arguments).label
    assert label and label.isascii() and label.isprintable()


def test_another_label_changes_nothing_else() -> None:
    fix = Edit.of(edit_text.delete_line, 3)
    assert (fix.label, fix.named("delete the line").label) == ("delete line 3", "delete the line")
    assert fix.named("delete the line").arguments == fix.arguments


def test_the_label_names_the_source_of_a_note() -> None:
    appended = Edit.of(edit_notes.append_found, FromFile(_NOTE, "a\nb"), "little")
    assert appended.label == r"append the note of a\x0ab"
    adopted = Edit.of(edit_notes.append_found, FromMemory(_NOTE, 0x1000, "text"), "little")
    assert adopted.label == "restore the text found at paddr 0x1000"
    assert adopted.apply(State()).notes == (_NOTE,)


def test_a_long_value_is_cut_in_the_label() -> None:
    label = Edit.of(edit_text.set_key, b"KEY", b"\x00" * 5000).label
    assert len(label) < 200 and label.endswith(".. (5000 in all)")
