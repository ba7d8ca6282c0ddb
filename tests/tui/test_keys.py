"""Test that a letter means one thing on all screens, and that terminals and multiplexers leave the keys free."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import vmci_tui.tui
from tests.tui.driving import main_screen, running, settled, shown, type_text
from vmci_tui.tui.panes.hex import HexPane

_MEANINGS = {
    "a": "append candidates.adopt",
    "b": "bookmark",
    "c": "copy commands.copy craft.copy log.copy report.copy next.copy readers.copy saved.copy",
    "d": "bookmarks.drop delete_line delete_write drop_note",
    "e": "edit_text",
    "f": "fix readers.fix set_right",
    "g": "goto list.home",
    "h": "hex.left strip.left structure.close",
    "i": "explain matrix.explain",
    "j": "hex.down list.down",
    "k": "hex.up list.up",
    "l": "hex.right strip.right structure.open log.level",
    "m": "matrix matrix.back readers.matrix",
    "n": "search_next log.next",
    "o": "open craft.open start.open",
    "p": "paste_entry",
    "q": "quit",
    "r": "rename_key",
    "s": "save craft.save repair.save copy_as.file commands.write log.file",
    "t": "retype_note",
    "u": "undo",
    "v": "readers readers.back",
    "w": "add_write",
    "x": "craft.clear",
    "A": "candidates.all",
    "B": "bookmarks dialog.cancel",
    "C": "copy_as dialog.cancel commands.copy_all",
    "D": "note.duplicate line.duplicate duplicate_note duplicate_line",
    "E": "open_entry candidates.entry",
    "F": "find repair.candidates candidates.back",
    "G": "hex.last list.end",
    "H": "header repair.keep",
    "I": "inspect",
    "L": "lessons start.lessons",
    "M": "memory memory.back",
    "N": "log.previous search_previous",
    "O": "start",
    "P": "log log.back",
    "Q": "ask_qemu",
    "R": "repair readers.repair",
    "S": "structure structure.back",
    "T": "templates",
    "U": "take_back",
    "V": "readers.version",
    "W": "next next.back saved.next",
    "X": "craft start.craft",
    "Y": "export",
}
"""The ids that each letter has: one meaning, beside `l` in a log, which has no columns."""

_BYOBU = {
    *(f"f{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 12)),
    *(f"shift+f{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12)),
    *(f"ctrl+f{n}" for n in (2, 3, 4, 5, 6, 8, 9, 11)),
    *(f"alt+f{n}" for n in (5, 6, 9, 11, 12)),
    *(f"{held}+{way}" for held in ("alt", "shift", "alt+shift") for way in ("up", "down", "left", "right")),
    *("alt+pageup", "alt+pagedown", "alt+insert", "ctrl+a"),
}
"""Keys that byobu 5.133 takes (keybindings/f-keys.tmux and f-keys.screen)."""
_TMUX, _SCREEN = {"ctrl+b"}, {"ctrl+a"}
"""The prefixes of tmux 3.3a and screen 4.9.0; without a prefix they take no key of the keyboard."""


def _reaches(key: str, linux: bool) -> bool:
    """Return whether a program gets a key in byobu, tmux and screen, and, if asked, on a Linux console.

    A Linux console sends arrows, Home, End and function keys alike with Shift and Ctrl and without.
    """
    if key in _BYOBU | _TMUX | _SCREEN:
        return False
    held, _, last = key.rpartition("+")
    named = last in {"up", "down", "left", "right", "home", "end", "pageup", "pagedown"} or last[1:].isdigit()
    return not (linux and named and held and held != "alt")


def _bindings(base: type[DOMNode] = DOMNode) -> Iterator[Binding]:
    for module in pkgutil.walk_packages(vmci_tui.tui.__path__, "vmci_tui.tui."):
        importlib.import_module(module.name)
    classes = [base]
    while classes:
        node = classes.pop()
        classes += node.__subclasses__()
        if node.__module__.startswith("vmci_tui."):
            yield from (item for item in node.__dict__.get("BINDINGS", ()) if isinstance(item, Binding))


def test_a_letter_means_one_thing_on_all_screens() -> None:
    found: dict[str, set[str]] = {}
    for item in _bindings():
        for key in item.key.split(","):
            if len(key) == 1 and key.isalpha():
                found.setdefault(key, set()).add(item.id or "")
    closes = {"q"}  # quits, or goes back
    wrong = {key: ids - set(_MEANINGS.get(key, "").split()) for key, ids in found.items() if key not in closes}
    assert len(found) == len(_MEANINGS)
    assert not any(wrong.values()), {key: ids for key, ids in wrong.items() if ids}


async def test_gg_goes_to_the_first_byte(sample: Callable[[str], str]) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        view = main_screen(pilot).query_one(HexPane)
        await pilot.press("5", "G")
        assert view.cursor == view.total - 1
        await pilot.press("g", "g")
        await settled(pilot)
        assert view.cursor == 0 and main_screen(pilot) is pilot.app.screen
        await pilot.press("g")
        await settled(pilot)
        assert "g: the first byte" in shown(pilot)
        await type_text(pilot, "0x10")
        await pilot.press("enter")
        await settled(pilot)
        assert view.cursor == 0x10


@pytest.mark.parametrize("linux", [False, True])
def test_byobu_tmux_screen_and_a_linux_console_leave_a_key_for_everything(linux: bool) -> None:
    """A picture is in the commands too, selecting is Space and moving, gg the first byte; a dialog shows its keys."""
    keys: dict[str, set[str]] = {}
    for item in _bindings():
        keys.setdefault(item.id or "", set()).update(item.key.split(","))
    lost = {name for name, known in keys.items() if not any(_reaches(key, linux) for key in known)}
    allowed = {"picture", "dialog.help", "hex.first", *(f"hex.select_{way}" for way in ("right", "left", "down", "up"))}
    assert lost == (allowed if linux else allowed - {"hex.first"})


async def test_space_selects_bytes_without_shift(sample: Callable[[str], str]) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        view = main_screen(pilot).query_one(HexPane)
        view.arrive(0x20)
        await pilot.press("5", "space", "right", "right", "down")
        assert view.highlight == (0x20, 0x23 + view.per_row) and "bytes selected" in shown(pilot)
        await pilot.press("space")
        assert view.highlight == (0x20, 0x23 + view.per_row), "the selection stays"
        await pilot.press("right")
        assert not view.selected
