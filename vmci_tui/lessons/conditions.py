"""The condition of a lesson's step: a small language about what is open and what is shown.

`readers.drgn == accepts and not finding N01`. A condition is pure: it does not depend on the keys that led to the
state. docs/lessons.md lists the words.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from vmci_tui.common.errors import EditError, UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.document.byte_map import Place
from vmci_tui.document.document import Document
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.formats.fw_cfg_entry import Entry, EntryHistory, parse_number
from vmci_tui.readers.verdicts import NAMES

if TYPE_CHECKING:
    from vmci_tui.findings import Finding
    from vmci_tui.findings.judgement import Judgement

PANES: Final = ("entry", "notes", "keys", "findings", "hex")
SCREENS: Final = (
    *("main", "readers", "matrix", "candidates", "repair", "next", "save", "log", "structure", "memory"),
    *("ask", "choose", "text", "told", "start", "lessons", "other"),
)
"""`ask` is a question for one line, `choose` for one of a few, `text` for a whole text; `told` shows many lines."""
_ACCEPTS: Final = {True: "accepts", False: "refuses", None: "unknown"}
_PROOF: Final = {True: "proved", False: "disproved", None: "unknown"}
_LONGEST: Final = 500
"""Characters of a condition: each `not` is a nested call."""
_AREAS: Final = ("entry", "note", "text", "memory", "head")


class UiState(NamedTuple):
    """What is open, its judgement, and what is shown of it."""

    document: Document | None = None
    judgement: Judgement | None = None
    """Of the state that is shown; None while it is computed."""
    screen: str = "other"
    pane: str = ""
    """The pane that has the focus."""
    key: bytes = b""
    """The key under the cursor of the keys pane."""
    finding: str = ""
    """The code of the finding under the cursor."""
    field: str = ""
    """The entry's field under the cursor."""
    write: int = 0
    """The number of the write under the entry's cursor, from 1; 0 if there is none."""
    cursor: int = 0
    """The offset of the byte under the cursor of the hex view on top; in the screen of guest memory its paddr."""
    record: int | None = None
    """The number of the record under the cursor of the kernel's log; None elsewhere."""
    place: Place | None = None
    """What is at the cursor."""
    explaining: bool = False
    """Whether the meaning of the keys is shown."""
    changed: bool = False
    """Whether the file on disk differs from the lesson's beginning."""

    @property
    def found(self) -> tuple[Finding, ...]:
        """Return the findings; none while they are not known."""
        return self.judgement.found if self.judgement is not None else ()

    @property
    def history(self) -> EntryHistory | None:
        return self.document.state.entry if self.document else None


class StepCondition(NamedTuple):
    """A condition: all its parts must hold."""

    parts: tuple[Callable[[UiState], bool], ...]


Number = Callable[[UiState], int | None]
Word = Callable[[UiState], str]
Flag = Callable[[UiState], bool]


def _field(name: str) -> Number:
    index = Entry._fields.index(name)
    return lambda ui: ui.history.entry[index] if ui.history else None


def _lines(verdict: Literal["confirmed", "contradicted"]) -> Number:
    def count(ui: UiState) -> int | None:
        lines = ui.judgement.lines if ui.judgement is not None else None
        return None if lines is None else lines.counts[verdict]

    return count


NUMBERS: Final[dict[str, Number]] = {
    **{f"entry.{name}": _field(name) for name in Entry._fields},
    "entry.writes": lambda ui: len(ui.history.writes) if ui.history else None,
    "note.count": lambda ui: sum(n.is_vmcoreinfo for n in ui.document.state.notes) if ui.document else None,
    "lines.confirmed": _lines("confirmed"),
    "lines.contradicted": _lines("contradicted"),
    "edits": lambda ui: len(ui.document.labels) if ui.document else None,
    "cursor": lambda ui: ui.cursor,
    "cursor.paddr": lambda ui: ui.document.layout.memory.paddr_of(ui.cursor) if ui.document else None,
    "write": lambda ui: ui.write,
    "record": lambda ui: ui.record,
}
FLAGS: Final[dict[str, Flag]] = {
    "entry.present": lambda ui: ui.history is not None and ui.history.present,
    "note.present": lambda ui: ui.document is not None and ui.document.state.note is not None,
    "saved": lambda ui: ui.document is not None and ui.document.saved is not None and not ui.document.unsaved,
    "unsaved": lambda ui: ui.document is not None and ui.document.unsaved,
    "explaining": lambda ui: ui.explaining,
    "file.changed": lambda ui: ui.changed,
}


def _verdict(name: str, after: bool) -> Word:
    def word(ui: UiState) -> str:
        if ui.judgement is None:
            return ""
        verdicts = ui.judgement.after if after else ui.judgement.now
        return _ACCEPTS[verdicts[name].accepts] if name in verdicts else ""

    return word


def _proved(ui: UiState) -> str:
    proof = ui.judgement.proof if ui.judgement is not None else None
    return _PROOF[proof.proved] if proof is not None else ""


WORDS: Final[dict[str, tuple[Word, tuple[str, ...]]]] = {
    "pane": (lambda ui: ui.pane, PANES),
    "screen": (lambda ui: ui.screen, SCREENS),
    "field": (lambda ui: ui.field, Entry._fields),
    "note.proof": (_proved, tuple(_PROOF.values())),
    **{f"readers.{name}": (_verdict(name, True), tuple(_ACCEPTS.values())) for name in NAMES},
    **{f"now.{name}": (_verdict(name, False), tuple(_ACCEPTS.values())) for name in NAMES},
}
"""Subjects with their possible words; `readers.X` is the verdict after saving, `now.X` of the current file."""

_ORDER: Final[dict[str, Callable[[int, int], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def parse(text: str) -> StepCondition:
    """Parse a condition. Raises UsageError: what is wrong with it, in one line."""
    if len(text) > _LONGEST:
        raise UsageError(f"the condition has {len(text)} characters", f"write at most {_LONGEST}")
    return StepCondition(tuple(_part(part.split()) for part in re.split(r"\s+and\s+", text.strip())))


def holds(condition: StepCondition, ui: UiState) -> bool:
    """Return whether all parts hold."""
    return all(part(ui) for part in condition.parts)


def _part(words: list[str]) -> Callable[[UiState], bool]:
    if not words:
        raise UsageError("the condition is empty", "write for example: entry.size == 4132")
    if words[0] == "not":
        part = _part(words[1:])
        return lambda ui: not part(ui)
    first, rest = words[0], words[1:]
    if first == "key":
        return _key(rest)
    if first == "finding":
        return _finding(rest)
    if first == "line":
        _, value = _compared("line", rest, ("==",))
        return lambda ui: visible(ui.key) == value
    if first == "chosen":
        _, code = _compared("chosen", rest, ("==",))
        _one_of("chosen", code, tuple(catalogue()))
        return lambda ui: ui.finding == code
    if first == "cursor" and rest[:1] == ["in"]:
        area = _one_of("cursor in", " ".join(rest[1:]), _AREAS)
        return lambda ui: _is_in(area, ui)
    if first in FLAGS:
        if rest:
            raise UsageError(f"{first} is a flag: nothing can follow it", f"write {first}, or not {first}")
        return FLAGS[first]
    if first in NUMBERS:
        return _number(first, rest)
    if first in WORDS:
        return _word(first, rest)
    raise UsageError(f"unknown word {visible(first)}{_near(first)}", "docs/lessons.md lists the words")


def _compared(subject: str, rest: list[str], operators: tuple[str, ...]) -> tuple[str, str]:
    """Return the operator and the value after a subject."""
    if len(rest) < 2 or rest[0] not in operators:
        raise UsageError(f"{subject} needs {' or '.join(operators)} and a value")
    return rest[0], " ".join(rest[1:])


def _number(subject: str, rest: list[str]) -> Callable[[UiState], bool]:
    get = NUMBERS[subject]
    sign, typed = _compared(subject, rest, tuple(_ORDER))
    try:
        wanted = parse_number(typed)
    except EditError as error:
        raise UsageError(f"{subject}: {error.message}", error.hint) from None

    def part(ui: UiState) -> bool:
        number = get(ui)
        return number is not None and _ORDER[sign](number, wanted)

    return part


def _word(subject: str, rest: list[str]) -> Callable[[UiState], bool]:
    get, known = WORDS[subject]
    sign, typed = _compared(subject, rest, ("==", "!="))
    wanted = _one_of(subject, typed, known)
    return lambda ui: (get(ui) == wanted) is (sign == "==")


def _one_of(subject: str, typed: str, known: tuple[str, ...]) -> str:
    if typed not in known:
        raise UsageError(f"{subject} cannot be {visible(typed) or 'nothing'}", f"it is one of {', '.join(known)}")
    return typed


def _key(rest: list[str]) -> Callable[[UiState], bool]:
    """Parse `key NAME`, `key NAME gone`, `key NAME == VALUE`: the text as shown, \\xNN for any byte."""
    if not rest:
        raise UsageError("the name of a key is missing", "write for example: key PAGESIZE == 4096")
    name = rest[0]

    def value(ui: UiState) -> str | None:
        text = ui.document.state.vmcoreinfo if ui.document else None
        if text is None:
            return None
        lines = [line for line in text.lines if line.key is not None and visible(line.key) == name]
        return visible(lines[-1].value or b"") if lines else None

    if rest[1:] in ([], ["gone"]):
        return lambda ui: (value(ui) is None) is bool(rest[1:])
    sign, wanted = _compared(f"key {visible(name)}", rest[1:], ("==", "!="))
    return lambda ui: (found := value(ui)) is not None and (found == wanted) is (sign == "==")


def _finding(rest: list[str]) -> Callable[[UiState], bool]:
    """Parse `finding CODE`, `finding CODE gone`."""
    code = rest[0] if rest else ""
    if code not in catalogue() or rest[1:] not in ([], ["gone"]):
        raise UsageError(f"unknown finding {visible(' '.join(rest))}", "write finding N01, or finding N01 gone")
    return lambda ui: any(found.code == code for found in ui.found) is not bool(rest[1:])


def _is_in(area: str, ui: UiState) -> bool:
    place, document = ui.place, ui.document
    if place is None or document is None:
        return False
    if area == "note":
        return place.note is not None and place.note == document.state.index
    if area == "text":
        return place.line is not None and place.note == document.state.index
    if area == "head":
        return place.kind in ("header", "segments", "sections")
    return place.kind == area


def _near(word: str) -> str:
    """Return a guess at what was meant; empty without one."""
    near = get_close_matches(word, ("key", "finding", "line", "chosen", *FLAGS, *NUMBERS, *WORDS), 1)
    return f"; did you mean {near[0]}?" if near else ""
