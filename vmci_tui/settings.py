"""Where the user's settings and recent files live, and what they are."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

_MOST_RECENT = 20


@dataclass(frozen=True)
class Settings:
    """What a user may choose, in `settings.toml`; every key may be missing."""

    theme: str = "textual-dark"
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
        theme=str(raw.get("theme", Settings.theme)),
        keymap={str(name): keys for name, keys in pairs if isinstance(keys, str)},
        blink=raw.get("blink", True) is not False,
    )


def recent() -> tuple[tuple[str, str | None], ...]:
    """The files opened last with their entries, newest first, as far as they still exist."""
    import json

    try:
        pairs = json.loads(_recent_file().read_bytes())
    except (OSError, ValueError):
        return ()
    if not isinstance(pairs, list):
        return ()
    found = (_pair(item) for item in pairs)
    return tuple(pair for pair in found if pair is not None)


def _pair(item: object) -> tuple[str, str | None] | None:
    """A dump and its entry as they were stored; None for what is not one, or is gone."""
    path, blob = item if isinstance(item, list) and len(item) == 2 else (item, None)
    if not isinstance(path, str) or "\0" in path or not os.path.exists(path):
        return None
    there = isinstance(blob, str) and "\0" not in blob and os.path.exists(blob)
    return path, blob if there else None


def remember(path: str, blob: str | None = None) -> None:
    """Put a file first among the recent ones; a folder that cannot be written is no reason to stop."""
    import json

    full = os.path.abspath(path)
    entry = os.path.abspath(blob) if blob else None
    pairs = [(full, entry), *(pair for pair in recent() if pair[0] != full)][:_MOST_RECENT]
    target = _recent_file()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(pairs))
    except OSError:
        return
