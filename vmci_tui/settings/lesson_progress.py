"""Load and store which steps of which lessons the user has done, and whether lessons go on by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from platformdirs import user_state_path

from vmci_tui.common.errors import OpenError
from vmci_tui.settings.own_files import read_own, set_aside, unreadable, write_own

_MOST: Final = 500
"""The most lessons that are kept; the oldest are dropped."""
_MOST_STEPS: Final = 200
_LONGEST: Final = 4096
"""Characters of the name of a lesson."""


class DoneSteps(NamedTuple):
    """The steps of one lesson that were done once."""

    done: frozenset[int]
    """Their numbers, from 1."""
    of: int
    """All steps of the lesson."""

    @property
    def is_complete(self) -> bool:
        return len(self.done) == self.of


class LessonProgress(NamedTuple):
    """What is kept between two starts."""

    lessons: Mapping[str, DoneSteps] = MappingProxyType({})
    """By `key_of` the lesson, the last one changed at the end."""
    advance: bool = False
    """Whether the next step follows by itself once one is done."""

    def with_step(self, key: str, number: int, of: int) -> LessonProgress:
        """Return the progress after step `number` of `of`; a lesson whose steps changed begins anew."""
        before = self.lessons.get(key)
        done = before.done if before is not None and before.of == of else frozenset[int]()
        others = {name: steps for name, steps in self.lessons.items() if name != key}
        return self._replace(lessons={**others, key: DoneSteps(done | {number}, of)})


def progress_file() -> Path:
    return user_state_path("vmci-tui") / "lessons.json"


def load_progress() -> LessonProgress:
    """Return the stored progress, without malformed parts; none if the file is missing or cannot be read."""
    raw = _stored()
    if raw is None:
        return LessonProgress()
    lessons = raw.get("lessons")
    pairs = lessons.items() if isinstance(lessons, dict) else ()
    read = ((key, _steps(item)) for key, item in pairs if len(key) <= _LONGEST)
    return LessonProgress({key: steps for key, steps in read if steps is not None}, raw.get("advance") is True)


def store_progress(progress: LessonProgress) -> None:
    """Write the progress; ignore an unwritable folder. A damaged file is kept as `lessons.json.damaged`."""
    import json

    target = progress_file()
    if _stored() is None and not unreadable(target):
        set_aside(target)
    kept = list(progress.lessons.items())[-_MOST:]
    lessons = {key: {"done": sorted(steps.done), "of": steps.of} for key, steps in kept}
    write_own(target, json.dumps({"advance": progress.advance, "lessons": lessons}).encode())


def _stored() -> dict[str, object] | None:
    """Return what is in the file; {} if it is missing, None if it cannot be read or is damaged."""
    import json

    try:
        raw = json.loads(read_own(progress_file()) or b"{}")
    except (OpenError, ValueError, RecursionError):
        return None
    return raw if isinstance(raw, dict) else None


def _steps(item: object) -> DoneSteps | None:
    done, of = (item.get("done"), item.get("of")) if isinstance(item, dict) else (None, None)
    if type(of) is not int or not 0 < of <= _MOST_STEPS or not isinstance(done, list):
        return None
    return DoneSteps(frozenset(number for number in done if type(number) is int and 0 < number <= of), of)
