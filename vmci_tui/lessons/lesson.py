"""Lessons: files and steps, each done when a condition on the state holds. They are data, in TOML files.

The bundled ones are in the samples' folder; a trainer's own can be in any folder. docs/lessons.md says how to
write one. A lesson works on copies, in a folder of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError, UsageError, VmciError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.common.samples import sample_path
from vmci_tui.common.toml import parse_toml
from vmci_tui.layers.file import read_small
from vmci_tui.lessons.conditions import StepCondition, parse

_LIMIT: Final = 1 << 18
"""Bytes of a lesson's TOML file; the longest bundled one has 1,616."""
_FILES_LIMIT: Final = 1 << 30
"""Bytes of each of a lesson's files: they are copied for each session."""
_MOST_FILES: Final = 20
"""The most files of a lesson."""
_MOST: Final = 200
"""The most lessons of a folder, and steps of a lesson."""
TYPE: Final = "type "
UNTIL: Final = " until "
PLACES: Final = (
    *("entry", "notes", "keys", "findings", "hex", "readers", "status", "footer"),
    *("verdicts", "matrix", "candidates", "log", "tree", "told", "steps", "plan", "target", "value", "text", "choices"),
)
"""What a step can point at: the panes and lines of the main screen, then the parts of the other screens."""


class LessonStep(NamedTuple):
    """One thing to see or to do."""

    text: str
    done: StepCondition | None
    """None: the user only reads."""
    at: str = ""
    press: tuple[str, ...] = ()
    """The keys that do it: a key's name, `type WORDS`, or `KEY until CONDITION`. Users see them, tests press them."""


class Lesson(NamedTuple):
    """A lesson with all its steps."""

    name: str
    title: str
    story: str
    files: tuple[str, ...]
    """Paths of the files to copy; the first one is opened."""
    entry: str | None
    """The name of the entry that is opened with the first file."""
    steps: tuple[LessonStep, ...]


class LessonHeading(NamedTuple):
    """What a list of lessons shows."""

    name: str
    title: str
    story: str
    path: str


def bundled_folder() -> str | None:
    """Return the folder of the bundled lessons; None if the package was installed without its samples."""
    return sample_path("lessons")


def headings(folder: str | None = None) -> tuple[LessonHeading, ...]:
    """Return the lessons of a folder (by default the bundled ones), by file name.

    Only the beginning of each file is parsed, because a list must appear at once. Raises OpenError.
    """
    folder = folder or bundled_folder()
    if folder is None:
        return ()
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".toml"))
    except (OSError, ValueError):
        raise OpenError(f"{visible(folder)} is not a folder with lessons", "name a folder with .toml files") from None
    return tuple(_heading(os.path.join(folder, name)) for name in names[:_MOST])


def find_lesson(wanted: str, found: tuple[LessonHeading, ...]) -> LessonHeading:
    """Return the lesson with a name or a number (from 1). Raises UsageError."""
    for number, heading in enumerate(found, 1):
        if wanted in (heading.name, str(number)):
            return heading
    names = ", ".join(visible(heading.name) for heading in found)
    raise UsageError(f"unknown lesson {visible(wanted)}", f"choose from {names}" if names else "the folder has none")


def key_of(path: str) -> str:
    """Return the name under which progress in a lesson is kept: a bundled one may be in another folder next time."""
    folder, name = os.path.split(os.path.abspath(path))
    bundled = bundled_folder()
    return name if bundled is not None and folder == os.path.abspath(bundled) else os.path.join(folder, name)


def load(path: str) -> Lesson:
    """Load a lesson with all its steps. Raises OpenError: one line that names the file and the step."""
    raw = _toml(path, _read(path))
    name = _name(path)
    title, story = _word(raw, "title", path), _word(raw, "story", path)
    files = _words(raw, "files", path)
    if not files:
        raise _bad(path, "files is empty", 'write files = ["good.entry"]')
    if len(files) > _MOST_FILES:
        raise _bad(path, f"files has {len(files)} names", f"a lesson has at most {_MOST_FILES} files")
    entry = raw.get("entry")
    if entry is not None and entry not in files:
        raise _bad(path, "`entry` must be one of `files`", "it names the entry that is opened with the first file")
    steps = raw.get("step")
    if not isinstance(steps, list) or not 0 < len(steps) <= _MOST or not all(isinstance(s, dict) for s in steps):
        raise _bad(path, "it has no steps", "begin each with [[step]]")
    paths = tuple(_find_file(path, file) for file in files)
    unknown = set(raw) - {"title", "story", "files", "entry", "step"}
    if unknown:
        raise _bad(path, f"unknown key {visible(min(unknown))} in a lesson", "use title, story, files, entry, step")
    return Lesson(name, title, story, paths, entry, tuple(_step(path, n, s) for n, s in enumerate(steps, 1)))


def copy_files(lesson: Lesson, folder: str) -> None:
    """Put the lesson's files into `folder` in their original state, and remove everything else. Raises OpenError."""
    try:
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        for path in lesson.files:
            target = os.path.join(folder, os.path.basename(path))
            shutil.copyfile(path, target)
            os.chmod(target, 0o600)
    except OSError as error:
        raise OpenError(f"the lesson's files cannot be copied: {error.strerror}", f"make room in {folder}") from None


def _step(path: str, number: int, raw: dict[str, object]) -> LessonStep:
    where = f"{path}, step {number}"
    text, at = _word(raw, "text", where), raw.get("at", "")
    if at not in ("", *PLACES):
        raise _bad(where, f"at cannot be {visible(str(at))}", f"it is one of {', '.join(PLACES)}")
    unknown = set(raw) - {"text", "at", "done", "press"}
    if unknown:
        raise _bad(where, f"unknown key {visible(min(unknown))} in a step", "use text, at, done, press")
    done = raw.get("done")
    press = _words(raw, "press", where) if "press" in raw else ()
    condition = _condition(where, "done", _word(raw, "done", where)) if done is not None else None
    for item in press:
        if not item.strip():
            raise _bad(where, "press: an empty key", 'write press = ["down", "enter"]')
        if UNTIL in item and not item.startswith(TYPE):
            _condition(where, "press", item.partition(UNTIL)[2])
    return LessonStep(text, condition, str(at), press)


def _condition(where: str, what: str, text: str) -> StepCondition:
    try:
        return parse(text)
    except UsageError as error:
        raise _bad(where, f"{what}: {error.message}", error.hint) from None


def _heading(path: str) -> LessonHeading:
    head = re.split(r"^\s*\[\[", _read(path), maxsplit=1, flags=re.MULTILINE)[0]
    raw = _toml(path, head)
    return LessonHeading(_name(path), _word(raw, "title", path), _word(raw, "story", path), path)


def _name(path: str) -> str:
    """Return the lesson's name: `sizes` for `03-sizes.toml`, whose number only orders it."""
    return re.sub(r"^[0-9]+[-_. ]", "", os.path.basename(path).removesuffix(".toml"))


def _find_file(path: str, name: str) -> str:
    """Return the path of a file in the lesson's folder, or of a bundled sample."""
    if os.path.basename(name) != name or name in ("", ".", ".."):
        raise _bad(path, f"files: {visible(name)} is not a plain file name", "put a lesson's files into its folder")
    beside = os.path.join(os.path.dirname(path), name)
    for full in filter(None, (beside, sample_path(name))):
        try:
            status = os.stat(full)
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(status.st_mode):
            if status.st_size > _FILES_LIMIT:
                raise _bad(path, f"{visible(name)} has more than 1 GiB", "it is copied for each session")
            return os.path.abspath(full)
    raise _bad(path, f"there is no file {visible(name)}", "put it into the lesson's folder, or name a bundled sample")


def _read(path: str) -> str:
    data = read_small(path, _LIMIT, "a lesson")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise _bad(path, "it is not UTF-8 text", "a lesson is a TOML file") from None


def _toml(path: str, text: str) -> dict[str, object]:
    try:
        return parse_toml(text)
    except ValueError as error:
        raise _bad(path, f"it is not TOML: {visible(str(error))}", "see https://toml.io") from None


def _word(raw: dict[str, object], name: str, where: str) -> str:
    """Return a text as one line: line breaks in it are only those of the file."""
    value = raw.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _bad(where, f"{name} is missing, or not a text", f'write {name} = "..."')
    return " ".join(value.split())


def _words(raw: dict[str, object], name: str, where: str) -> tuple[str, ...]:
    value = raw.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _bad(where, f"{name} is missing, or not a list of texts", f'write {name} = ["..."]')
    return tuple(value)


def _bad(where: str, words: str, hint: str) -> VmciError:
    return OpenError(Safe(f"{visible(where)}: {words}"), hint)
