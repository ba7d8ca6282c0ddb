"""Test that the app starts with any content of the files that vmci keeps for its user, and reports a fault once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.limits import time_limit
from tests.opened_files import open_document
from tests.tui.driving import choose_theme, said, settled
from vmci_tui.settings import settings
from vmci_tui.settings.own_files import LIMIT, read_own, write_own
from vmci_tui.tui.app import VmciApp
from vmci_tui.tui.commands.all_bindings import unknown_ids
from vmci_tui.tui.screens.save_screen import SaveScreen

_KEPT = ("config/vmci-tui/settings.toml", "state/vmci-tui/recent.json", "state/vmci-tui/theme")


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


def _loop(path: Path) -> None:
    path.symlink_to(path)


_THINGS: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a folder": Path.mkdir,
    "a link to itself": _loop,
    "1 TiB": _sparse,
}
_TOML = {
    "many digits": "a = " + "9" * 5000,
    "deep arrays": "a = " + "[" * 100_000,
    "deep tables": "a = " + "{a = " * 100_000,
    "a dotted key": "a." * 500_000 + "a = 1",
    "not UTF-8": "\udcff",
    "not TOML": "theme = nord",
    "NULs": "\0" * 1000,
}


def _place(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _use_all(path: str) -> None:
    """Call every function that reads or writes one of the files."""
    settings.load()
    settings.last_theme()
    settings.store_theme("nord")
    settings.remember(path)
    settings.store_bookmarks(path, ("0x10",))
    settings.recent()
    settings.bookmarks(path)


@pytest.mark.parametrize("thing", _THINGS)
async def test_files_that_are_not_small_and_regular_are_not_read(
    tmp_path: Path, thing: str, sample: Callable[[str], str]
) -> None:
    paths = [_place(tmp_path, kept) for kept in _KEPT]
    for path in paths:
        _THINGS[thing](path)
    before = [os.lstat(path) for path in paths]
    with time_limit(10):
        _use_all(sample("crlf.elf"))
    app = VmciApp(open_document(sample("crlf.elf")))
    async with app.run_test(notifications=True) as pilot:
        await settled(pilot)
        words = said(pilot)
        await choose_theme(pilot, "nord")
    for path, old, new in zip(paths, before, map(os.lstat, paths), strict=True):
        assert words.count(str(path)) == 1, words
        assert (new.st_mode, new.st_ino, new.st_size) == (old.st_mode, old.st_ino, old.st_size)


@pytest.mark.parametrize("text", _TOML)
async def test_settings_that_are_not_toml_leave_the_defaults(
    tmp_path: Path, text: str, sample: Callable[[str], str]
) -> None:
    path = _place(tmp_path, _KEPT[0])
    path.write_bytes(_TOML[text].encode("utf-8", "surrogateescape"))
    with time_limit(1):
        chosen = settings.load()
    assert chosen.trouble is not None and "\n" not in chosen.trouble and chosen.trouble.isprintable()
    assert (chosen.theme, chosen.keymap, chosen.blink) == (None, {}, True)
    app = VmciApp(open_document(sample("crlf.elf")))
    async with app.run_test(notifications=True) as pilot:
        await settled(pilot)
        assert said(pilot) == chosen.trouble


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("theme = 5", "theme"), ("theme = [[[1]]]", "theme"), ("blink = 'no'", "blink"), ("keymap = 7", "keymap"),
        ('[keymap]\nhelp = ""', "keymap.help"), ('[keymap]\nhelp = "a,,b"', "keymap.help"),
        ('[keymap]\nhelp = "\\u001b[31m"', "keymap.help"), ('[keymap]\nhelp = "\\u202e"', "keymap.help"),
        ("[keymap]\nhelp = 5", "keymap.help"), (f'[keymap]\nhelp = "{"x" * 99}"', "keymap.help"),
        ('[keymap]\n"\\u001b[31m" = 5', "keymap.\\x1b[31m"),
    ],
)  # fmt: skip
def test_an_invalid_setting_is_named_and_the_others_are_used(tmp_path: Path, line: str, named: str) -> None:
    path = _place(tmp_path, _KEPT[0])
    rest = '\n"save" = "s,ctrl+s"' if "[keymap]" in line else '\n[keymap]\nsave = "s,ctrl+s"'
    path.write_text(line + (rest if "keymap = " not in line else ""))
    chosen = settings.load()
    assert chosen.trouble == f"settings: {named} is invalid and ignored"
    assert chosen.keymap == ({} if "keymap = " in line else {"save": "s,ctrl+s"})


def test_a_renamed_key_is_accepted_under_its_old_name(tmp_path: Path) -> None:
    path = _place(tmp_path, _KEPT[0])
    path.write_text('[keymap]\n"marks.go" = "g"\n"marks.drop" = "x"\n"bookmarks.drop" = "y"\n')
    assert settings.load().keymap == {"bookmarks.go": "g", "bookmarks.drop": "y"}, "the new name counts where both are"
    assert not unknown_ids(settings._RENAMED.values()) and len(unknown_ids(settings._RENAMED)) == len(settings._RENAMED)


async def test_an_unknown_key_is_named_and_the_others_are_used(tmp_path: Path, sample: Callable[[str], str]) -> None:
    _place(tmp_path, _KEPT[0]).write_text('[keymap]\nsvae = "ctrl+w"\nsave = "f5"\n"copy_as.copy" = "y"\n')
    app = VmciApp(open_document(sample("crlf.elf")), settings.load())
    async with app.run_test(notifications=True) as pilot:
        await settled(pilot)
        assert said(pilot) == "settings: keymap.svae is not the name of a key; the command Settings lists the names"
        await pilot.press("f5")
        await settled(pilot)
        assert isinstance(app.screen, SaveScreen)


def test_valid_settings_give_no_message(tmp_path: Path) -> None:
    assert settings.load() == settings.Settings() and not list(settings.troubles())
    _place(tmp_path, _KEPT[0]).write_text('theme = "nord"\nblink = false\nlater = 5\n[keymap]\nsave = "s, é,ctrl+s"\n')
    assert settings.load() == settings.Settings("nord", {"save": "s, é,ctrl+s"}, False)


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Run as a user who may not read a file of mode 0: root may."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_folder_that_cannot_be_read(tmp_path: Path, sample: Callable[[str], str]) -> None:
    path, dump = _place(tmp_path, _KEPT[0]), sample("crlf.elf")
    path.parent.chmod(0)
    with _as_nobody():
        chosen = settings.load()
        _use_all(dump)
    path.parent.chmod(0o700)
    assert chosen.trouble is not None and "permission denied" in chosen.trouble and "QEMU" not in chosen.trouble


@pytest.mark.parametrize(
    "data", [b"[" * 200_000, b"9" * 5000, b"\xff", b"{}", b"null", b'{"a":' * 100_000], ids=lambda data: str(data[:5])
)
async def test_a_damaged_list_of_recent_files_is_set_aside(
    tmp_path: Path, data: bytes, sample: Callable[[str], str]
) -> None:
    path, dump = _place(tmp_path, _KEPT[1]), sample("crlf.elf")
    path.write_bytes(data)
    assert settings.recent() == () and settings.bookmarks(dump) == ()
    app = VmciApp(open_document(dump))
    async with app.run_test(notifications=True) as pilot:
        await settled(pilot)
        assert said(pilot) == f"recent files: {path} is damaged; it is kept as recent.json.damaged"
    assert path.with_name("recent.json.damaged").read_bytes() == data
    assert settings.recent() == ((dump, None, ()),) and not list(settings.troubles())


def test_stored_lists_can_be_read_again(tmp_path: Path) -> None:
    """Names and places in it may have any length."""
    one = tmp_path / "one"
    one.touch()
    path = _place(tmp_path, _KEPT[1])
    path.write_text(json.dumps([[str(one), None, ["x" * 9000] * 100 + ["0x1"]]]))
    assert settings.bookmarks(str(one)) == ("0x1",)
    settings.remember(str(one))
    assert path.stat().st_size < LIMIT and settings.bookmarks(str(one)) == ("0x1",)


def test_a_file_is_written_whole_at_the_target_of_its_link(tmp_path: Path) -> None:
    kept, link = tmp_path / "kept", tmp_path / "link"
    link.symlink_to(kept)
    write_own(link, b"1")
    write_own(link, b"2")
    assert link.is_symlink() and kept.read_bytes() == read_own(link) == b"2"
    assert sorted(os.listdir(tmp_path)) == ["kept", "link"]
    write_own(tmp_path / "kept" / "below a file", b"3")
    assert sorted(os.listdir(tmp_path)) == ["kept", "link"]
