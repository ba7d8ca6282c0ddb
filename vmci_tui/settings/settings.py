"""Load the user's settings, and load and store recent files, bookmarks and the theme."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from platformdirs import user_config_path, user_state_path

from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.common.toml import parse_toml
from vmci_tui.settings.own_files import read_own, set_aside, unreadable, write_own

_MOST_RECENT = 20
MOST_BOOKMARKS = 100
MOST_SESSIONS = 256
_LONGEST_KEY = 60
"""Characters of a key's name in the keymap."""
_RENAMED = {"marks.go": "bookmarks.go", "marks.drop": "bookmarks.drop"}
"""Old ids of keys with their new ones: settings may use both."""
_LONGEST_BOOKMARK = 200
"""Characters of a bookmark."""


class Settings(NamedTuple):
    """The user's choices in `settings.toml`; every key may be missing."""

    theme: str | None = None
    """None if the file names none: then the theme that was last chosen in the app."""
    keymap: Mapping[str, str] = MappingProxyType({})
    """Binding id to keys, e.g. {"save" = "ctrl+s"}."""
    blink: bool = True
    """Whether the cursor of input fields blinks."""
    sessions: int | None = None
    """The most sessions of `vmci serve` at a time; None if the file does not set it."""
    readers: Mapping[str, str] = MappingProxyType({})
    """The versions whose rules judge, by the names of readers, e.g. {"crash" = "8.0.6"}."""
    trouble: Safe | None = None
    """A message about a setting that is ignored; None if all are used."""


def config_file() -> Path:
    """Return the path of the settings file, which need not exist."""
    return user_config_path("vmci-tui") / "settings.toml"


def _recent_file() -> Path:
    return user_state_path("vmci-tui") / "recent.json"


def _theme_file() -> Path:
    return user_state_path("vmci-tui") / "theme"


def last_theme() -> str:
    """Return the theme that was last chosen in the app; empty if none was."""
    try:
        return read_own(_theme_file())[:80].decode("ascii", "replace").strip()
    except OpenError:
        return ""


def store_theme(name: str) -> None:
    """Store the theme for the next start; ignore an unwritable folder."""

    write_own(_theme_file(), f"{name}\n".encode())


def load() -> Settings:
    """Return the settings; the defaults if the file is missing, with a message if it cannot be read."""
    path = config_file()
    try:
        data = read_own(path)
        if not data:
            return Settings()
        return _settings(parse_toml(data.decode()))
    except OpenError as error:
        return Settings(trouble=Safe(f"settings: {error.message}; using the defaults"))
    except ValueError as error:
        return Settings(trouble=Safe(f"settings: {visible(str(path))} is not TOML: {visible(str(error))}"))


def _settings(raw: dict[str, Any]) -> Settings:
    """Return the valid settings of the file; `trouble` names the first invalid one."""
    theme, keymap, blink = raw.get("theme"), raw.get("keymap", {}), raw.get("blink", True)
    pairs = keymap if isinstance(keymap, dict) else {}
    good = {name: keys for name, keys in pairs.items() if isinstance(keys, str) and _are_keys(keys)}
    bad = [f"keymap.{name}" for name in pairs if name not in good]
    bad += ["theme"] if not isinstance(theme, str | None) else []
    bad += ["keymap"] if not isinstance(keymap, dict) else []
    bad += ["blink"] if not isinstance(blink, bool) else []
    readers = raw.get("readers", {})
    versions = readers if isinstance(readers, dict) else {}
    named = {name: version for name, version in versions.items() if isinstance(version, str)}
    bad += [f"readers.{name}" for name in versions if name not in named]
    bad += ["readers"] if not isinstance(readers, dict) else []
    sessions = raw.get("sessions")
    several = type(sessions) is int and 0 < sessions <= MOST_SESSIONS
    bad += ["sessions"] if "sessions" in raw and not several else []
    return Settings(
        theme=theme if isinstance(theme, str) else None,
        keymap={_RENAMED.get(name, name): keys for name, keys in good.items() if _RENAMED.get(name) not in good},
        blink=blink is not False,
        sessions=sessions if several else None,
        readers=named,
        trouble=Safe(f"settings: {visible(bad[0][:_LONGEST_KEY])} is invalid and ignored") if bad else None,
    )


def _are_keys(keys: str) -> bool:
    """Return whether `keys` can be names of keys, separated by commas: `ctrl+s`, or a character."""
    return all(0 < len(key) <= _LONGEST_KEY and key.isprintable() for key in map(str.strip, keys.split(",")))


def troubles() -> Iterator[Safe]:
    """Yield a message for each of vmci's own files that cannot be read."""
    for what, path in (("recent files", _recent_file()), ("theme", _theme_file())):
        if words := unreadable(path):
            yield Safe(f"{what}: {words}; nothing is stored")
    if _stored() is None and not unreadable(_recent_file()):
        yield Safe(f"recent files: {visible(str(_recent_file()))} is damaged; it is kept as recent.json.damaged")


class RecentFile(NamedTuple):
    """A file that was opened, with its entry and bookmarks."""

    path: str
    blob: str | None = None
    """The entry that was open beside it."""
    bookmarks: tuple[str, ...] = ()
    """Places in it, as `document/addresses.py` writes them."""


def recent() -> tuple[RecentFile, ...]:
    """Return the recent files, newest first; some may be gone, or on a server that does not answer."""
    found = (_record(item) for item in _stored() or ())
    return tuple(item for item in found if item is not None)


def on_disk(item: RecentFile) -> RecentFile | None:
    """Return a recent file with the entry that still exists beside it; None if it is gone itself.

    It may hang on a server that does not answer: run it in a thread.
    """
    if not os.path.exists(item.path):
        return None
    return item if item.blob is None or os.path.exists(item.blob) else item._replace(blob=None)


def _stored() -> list[object] | None:
    """Return the items of the file; [] if it is missing, None if it cannot be read or is damaged."""
    import json

    try:
        items = json.loads(read_own(_recent_file()) or b"[]")
    except (OpenError, ValueError, RecursionError):
        return None
    return items if isinstance(items, list) else None


def _record(item: object) -> RecentFile | None:
    """Return a stored dump with entry and bookmarks; None if the item is malformed."""
    path, blob, marks = (*item, None)[:3] if isinstance(item, list) and 2 <= len(item) <= 3 else (None, None, None)
    if not isinstance(path, str) or "\0" in path:
        return None
    kept = (mark for mark in marks if isinstance(mark, str)) if isinstance(marks, list) else ()
    places = tuple(mark for mark in kept if len(mark) <= _LONGEST_BOOKMARK)
    beside = blob if isinstance(blob, str) and "\0" not in blob else None
    return RecentFile(path, beside, places[:MOST_BOOKMARKS])


def bookmarks(path: str) -> tuple[str, ...]:
    """Return the stored bookmarks of a file."""
    full = os.path.abspath(path)
    return next((item.bookmarks for item in recent() if item.path == full), ())


def store_bookmarks(path: str, marks: tuple[str, ...]) -> None:
    """Store the bookmarks of a file, and put it first among the recent ones."""
    full = os.path.abspath(path)
    blob = next((item.blob for item in recent() if item.path == full), None)
    _store(RecentFile(full, blob, marks[:MOST_BOOKMARKS]))


def remember(path: str, blob: str | None = None) -> None:
    """Put a file first among the recent ones."""
    _store(RecentFile(os.path.abspath(path), os.path.abspath(blob) if blob else None, bookmarks(path)))


def _store(first: RecentFile) -> None:
    """Write the list with `first` at its head; ignore an unwritable folder."""
    import json

    target = _recent_file()
    if _stored() is None and not unreadable(target):
        set_aside(target)
    records = [first, *(item for item in recent() if item.path != first.path)][:_MOST_RECENT]
    write_own(target, json.dumps(records).encode())
