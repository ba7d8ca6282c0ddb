"""Where the user's settings and recent files live, and what they are."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_MOST_RECENT = 20
MOST_BOOKMARKS = 100


@dataclass(frozen=True)
class Settings:
    """What a user may choose, in `settings.toml`; every key may be missing."""

    theme: str | None = None
    """None where the file names none: then the one that was chosen last in the app."""
    keymap: dict[str, str] = field(default_factory=dict)
    """Binding id to keys, e.g. {"save" = "ctrl+s"}."""
    blink: bool = True
    """Whether the cursor of input fields blinks."""


def config_file() -> Path:
    """The settings file; it need not exist."""
    from platformdirs import user_config_path

    return user_config_path("vmci-tui") / "settings.toml"


def _recent_file() -> Path:
    from platformdirs import user_state_path

    return user_state_path("vmci-tui") / "recent.json"


def _theme_file() -> Path:
    from platformdirs import user_state_path

    return user_state_path("vmci-tui") / "theme"


def kept_theme() -> str:
    """The theme that was chosen last in the app; empty where none was."""
    try:
        with _theme_file().open("rb") as file:
            return file.read(80).decode("ascii", "replace").strip()
    except OSError:
        return ""


def keep_theme(name: str) -> None:
    """For the next start. A folder that cannot be written is no reason to stop."""
    target = _theme_file()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"{name}\n")
    except OSError:
        return


def load() -> Settings:
    """The settings; the defaults where the file is missing or does not parse."""
    path = config_file()
    if not path.exists():
        return Settings()
    import tomllib  # 3 ms, of which most starts need none

    try:
        with path.open("rb") as file:
            raw = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return Settings()
    keymap = raw.get("keymap")
    pairs = keymap.items() if isinstance(keymap, dict) else ()
    return Settings(
        theme=str(raw["theme"]) if "theme" in raw else None,
        keymap={str(name): keys for name, keys in pairs if isinstance(keys, str)},
        blink=raw.get("blink", True) is not False,
    )


class Recent(NamedTuple):
    """A file that was opened, and what is kept of it."""

    path: str
    blob: str | None = None
    """The entry that was open beside it."""
    bookmarks: tuple[str, ...] = ()
    """Places in it, as `core.typed_places` writes them."""


def recent() -> tuple[tuple[str, str | None], ...]:
    """The files opened last with their entries, newest first, as far as they still exist."""
    return tuple((item.path, item.blob) for item in _records())


def _records() -> tuple[Recent, ...]:
    import json

    try:
        items = json.loads(_recent_file().read_bytes())
    except (OSError, ValueError):
        return ()
    found = (_record(item) for item in items) if isinstance(items, list) else ()
    return tuple(item for item in found if item is not None)


def _record(item: object) -> Recent | None:
    """A dump, its entry and its bookmarks as they were stored; None for what is none, or is gone."""
    path, blob, marks = (*item, None)[:3] if isinstance(item, list) and 2 <= len(item) <= 3 else (None, None, None)
    if not isinstance(path, str) or "\0" in path or not os.path.exists(path):
        return None
    there = isinstance(blob, str) and "\0" not in blob and os.path.exists(blob)
    kept = tuple(mark for mark in marks if isinstance(mark, str)) if isinstance(marks, list) else ()
    return Recent(path, blob if there else None, kept[:MOST_BOOKMARKS])


def bookmarks(path: str) -> tuple[str, ...]:
    """The places of a file that were kept."""
    full = os.path.abspath(path)
    return next((item.bookmarks for item in _records() if item.path == full), ())


def keep_bookmarks(path: str, marks: tuple[str, ...]) -> None:
    """Keep the places of a file; it becomes the first among the recent ones."""
    full = os.path.abspath(path)
    blob = next((item.blob for item in _records() if item.path == full), None)
    _store(Recent(full, blob, marks[:MOST_BOOKMARKS]))


def remember(path: str, blob: str | None = None) -> None:
    """Put a file first among the recent ones."""
    _store(Recent(os.path.abspath(path), os.path.abspath(blob) if blob else None, bookmarks(path)))


def _store(first: Recent) -> None:
    """A folder that cannot be written is no reason to stop."""
    import json

    records = [first, *(item for item in _records() if item.path != first.path)][:_MOST_RECENT]
    target = _recent_file()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(records))
    except OSError:
        return
