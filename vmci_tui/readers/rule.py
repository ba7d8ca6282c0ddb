"""Readers: their rules, their verdicts over the bytes of a file, and how they parse a key.

A rule is one object: when it applies, the words of the program, the bytes concerned, the
cause by which findings group it, and the place in the program's source. These facts are
written nowhere else. A rule that was never observed in a run of the program is marked so,
and gives `unknown`, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Any, Final, Generic, Literal, NamedTuple, Protocol, TypeVar

from vmci_tui.common import internal_errors
from vmci_tui.common.errors import Spent, VmciError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.common.span import Span
from vmci_tui.readers.file_view import View
from vmci_tui.readers.version import Version, numbers_of

State = Literal["accepts", "opens", "refuses", "unknown"]
"""A verdict in one word; `opens`: it accepts the file, but then reads no kernel memory."""
_NO_WORDS: Final = Safe("")
KILLED: Final = "killed by "
"""The start of a rule's words, before a signal, if the program prints none."""
_STATES: Final[Mapping[bool | None, State]] = {True: "accepts", False: "refuses", None: "unknown"}
Stage = Literal["before", "note", "after"]
"""Where a reader refuses: before it looks for the note, at the note, after it (in its text)."""


def quoted(says: Safe) -> Safe:
    """Return the words of a program in quotes; how it ended, and that it prints nothing, are not its words."""
    if not says:
        return Safe("it prints nothing")
    return says if says.startswith(KILLED) else Safe(f'"{says}"')


class RuleHit(NamedTuple):
    """The result of a rule that applies: the bytes concerned, and the program's words if they hold a value."""

    span: Span | None = None
    words: str | None = None


class Fault(NamedTuple):
    """Where a program stops before it has a text; rules select faults by their kind."""

    kind: str
    words: str
    span: Span | None = None
    stage: Stage = "before"


class Reading(Protocol):
    """What every reader knows of a file after reading as much of it as it can."""

    @property
    def note(self) -> Span | None:
        """The bytes that it takes as the note; None if it finds no note."""
        ...

    @property
    def text(self) -> bytes | None:
        """The text that it uses: the part of the descriptor that this reader reads."""
        ...

    @property
    def osrelease(self) -> bytes | None:
        """The release that it shows or stores; None if it does not get that far."""
        ...


R = TypeVar("R", bound=Reading)
R_contra = TypeVar("R_contra", bound=Reading, contravariant=True)


@dataclass(frozen=True)
class Rule(Generic[R_contra]):
    """A condition under which a reader refuses, complains or reads a wrong value."""

    name: str
    cause: str
    """The code of the finding that it belongs to."""
    stage: Stage
    words: str
    """What the program prints, word for word; empty if it prints nothing; or which signal kills it."""
    source: str
    """Program, version, file and function that have the rule."""
    check: Callable[[R_contra], RuleHit | None]
    why: str
    """The rule in one or two sentences."""
    refuses: bool = True
    """False: the reader continues, but complains or reads another value."""
    observed: bool = True
    """False: known only from the source, never observed in a run; the verdict is then unknown."""
    since: Version | None = None
    """The first version of the program that has the rule; None: all that are known, up to `until`."""
    until: Version | None = None
    """The first version that does not have it any more; None: the newest one has it."""

    def holds_in(self, version: Version) -> bool:
        """Return whether a version of the program has the rule."""
        return (self.since is None or self.since <= version) and (self.until is None or version < self.until)


class FiredRule(NamedTuple):
    """A rule that applies to a file."""

    rule: Rule[Any]
    span: Span | None
    words: Safe


class Value(NamedTuple):
    """One value as a reader reads it."""

    shown: Safe
    """Decimal, 0x... or text."""
    number: int | None = None
    how: str = ""
    """The base or form in which it was read: `base 16`, `text`, `presence only`."""
    problem: str = ""
    """Why it differs from the text: `not a number: the key is ignored`; empty if it does not."""


class ProbeResult(NamedTuple):
    """Whether a reader that accepts a file then reads kernel memory with its own translation: it reads utsname."""

    known: bool | None
    """None: it reads no memory, or its translation is not modelled, or the text does not give utsname's address."""
    words: str = ""
    """The program's own words if reading fails."""


NOT_KNOWN: Final = ProbeResult(None)


def _not_known(reading: Any) -> ProbeResult:
    return NOT_KNOWN


def _same(reading: R, version: Version) -> R:
    return reading


Form = Callable[[bytes], Value]
"""Reads the value of a key from the bytes after `=`, as a reader does."""


@dataclass(frozen=True)
class Reader(Generic[R]):
    """A program that reads dumps."""

    name: str
    version: str
    """The version whose rules judge: `8.0.2`."""
    command: str
    """The command line, with FILE for the dump."""
    read: Callable[[View], R]
    rules_of: Callable[[R | None], tuple[Rule[Any], ...]]
    """Returns the rules that may hold for a reading, of all versions, in the order in which the program applies them;
    for None those of every kind of file. Rules for other kinds of files need not be imported."""
    accepted: Callable[[R], str]
    """Returns what it prints, in short, if it accepts."""
    lines: Callable[[bytes], Mapping[bytes, bytes]]
    """Returns the keys of the text, each with the value that this reader uses (its first or last)."""
    keys: Mapping[bytes, Form]
    """The keys that it uses, and how it reads each."""
    reads: Callable[[R], ProbeResult] = _not_known
    """Returns whether it reads kernel memory; called only if it accepts."""
    known: tuple[str, ...] = ()
    """The versions of the program that the rules were checked with, oldest first."""
    edition: Callable[[str], str] = str
    """Returns a version as it is shown: with what else identifies the program."""
    read_as: Callable[[R, Version], R] = _same
    """Returns a reading as another version reads the file, where rules alone do not say it."""
    turns: tuple[Version, ...] = ()
    """The versions from which on it reads files in another way."""
    shows_refused: bool = True
    """Whether it shows the release even of a file that it refuses."""
    since: Mapping[bytes, Version] = field(default_factory=dict)
    """The first version that uses a key; all versions use the keys that are not here."""

    @property
    def rules(self) -> tuple[Rule[Any], ...]:
        """All its rules."""
        return self.rules_of(None)

    @cached_property
    def numbers(self) -> Version:
        """Its version, to be compared with those of rules."""
        return numbers_of(self.version)

    @cached_property
    def remark(self) -> str:
        """A remark if its version is outside of those that are known; empty if it is not."""
        if self.known and self.numbers > numbers_of(self.known[-1]):
            return f"checked up to {self.known[-1]}"
        if self.known and self.numbers < numbers_of(self.known[0]):
            return f"checked from {self.known[0]} on"
        return ""

    @property
    def title(self) -> str:
        """Its version as it is shown."""
        return self.edition(self.version)

    def uses(self, key: bytes) -> bool:
        """Return whether its version uses a key."""
        return key in self.keys and self.since.get(key, ()) <= numbers_of(self.version)

    def at(self, version: str) -> Reader[R]:
        """Return the same program in another version."""
        return replace(self, version=version)


class VersionVerdict(NamedTuple):
    """Whether a program accepts, from one version up to the next that judges otherwise."""

    since: Version
    accepts: bool | None
    """None: unknown."""


@dataclass(frozen=True)
class Verdict:
    """The verdict of one reader over an image."""

    reader: Reader[Any]
    accepts: bool | None
    """None: unknown."""
    says: Safe
    stage: Stage | None
    """Where it refuses; None if it does not."""
    osrelease: Safe | None
    note: Span | None
    text: bytes | None
    fired: tuple[FiredRule, ...]
    """All rules that apply, in the order of the program; the first refusing rule decides."""
    reads: bool | None = None
    """Whether it also reads kernel memory; None if it refuses, or this is not known."""
    unread: Safe = _NO_WORDS
    """Its words if it accepts but reads no kernel memory."""
    by_version: tuple[VersionVerdict, ...] = ()
    """The verdicts of all known versions, oldest first; empty if they are the same."""
    asked: bool = True
    """False: nothing that it judges is open, as for QEMU without an entry."""

    @property
    def decisive(self) -> FiredRule | None:
        """The first rule that refuses; None if no rule does."""
        return next((item for item in self.fired if item.rule.refuses), None)

    @property
    def state(self) -> State:
        """The verdict in one word."""
        if self.accepts and self.reads is False:
            return "opens"
        return _STATES[self.accepts]

    def values(self) -> dict[bytes, Value]:
        """Return the value that the reader reads for each key that it uses and finds."""
        if self.text is None:
            return {}
        reader, there = self.reader, self.reader.lines(self.text)
        return {key: form(there[key]) for key, form in reader.keys.items() if key in there and reader.uses(key)}


def judge(reader: Reader[Any], view: View) -> Verdict:
    """Run one reader's rules over the bytes of a file; unknown if that takes too many steps or fails.

    Raises OpenError if the file cannot be read, and Cancelled.
    """
    view.budget.refill(view.size)
    try:
        return decide(reader, reader.read(view))
    except Spent as spent:
        return unknown(reader, str(spent))
    except (VmciError, MemoryError):
        raise
    except Exception as error:  # an error here must not stop the other readers
        return unknown(reader, str(internal_errors.record(error)))


def unknown(reader: Reader[Any], words: str) -> Verdict:
    """Return the verdict `unknown` with a reason."""
    return Verdict(reader, None, visible(words), None, None, None, None, ())


def decide(reader: Reader[R], reading: R) -> Verdict:
    """Run one reader's rules over its reading. Used for QEMU, which reads an entry and memory, not a file."""
    newest, reading = reading, reader.read_as(reading, reader.numbers)
    hits = _hits(reader, reading)
    fired = tuple(item for item in hits if item.rule.holds_in(reader.numbers))
    first = next((item for item in fired if item.rule.refuses), None)
    release = reading.osrelease if first is None or reader.shows_refused else None
    reads = reader.reads(reading) if first is None else NOT_KNOWN
    return Verdict(
        reader,
        _accepts(fired),
        visible(reader.accepted(reading)) if first is None else first.words,
        None if first is None else first.rule.stage,
        None if release is None else visible(release),
        reading.note,
        reading.text,
        fired,
        reads.known,
        visible(reads.words),
        _by_version(reader, newest, reading, hits),
    )


def _hits(reader: Reader[R], reading: R) -> tuple[FiredRule, ...]:
    """Return the rules of all versions that apply to a reading."""
    found = ((rule, rule.check(reading)) for rule in reader.rules_of(reading))
    return tuple(
        FiredRule(rule, hit.span, visible(rule.words if hit.words is None else hit.words))
        for rule, hit in found
        if hit is not None
    )


def _accepts(fired: Iterable[FiredRule]) -> bool | None:
    """Return whether a program accepts if these rules apply: the first that refuses decides."""
    first = next((item.rule for item in fired if item.rule.refuses), None)
    return True if first is None else False if first.observed else None


def _by_version(reader: Reader[R], newest: R, reading: R, hits: tuple[FiredRule, ...]) -> tuple[VersionVerdict, ...]:
    """Return the verdicts of all known versions, from the rules of any version that apply to what each reads.

    `newest`: the reading of the newest version; `hits`: the rules that apply to `reading`. Empty, too, if the other
    readings take too many steps.
    """
    if not reader.known:
        return ()
    oldest = numbers_of(reader.known[0])
    readings = {turn: reader.read_as(newest, turn) for turn in (oldest, *reader.turns)}
    try:
        applied = {turn: hits if other is reading else _hits(reader, other) for turn, other in readings.items()}
    except Spent:
        return ()
    rules = [item.rule for some in applied.values() for item in some]
    edges = {edge for rule in rules for edge in (rule.since, rule.until) if edge is not None and edge > oldest}

    def accepts(version: Version) -> bool | None:
        some = applied[max(turn for turn in applied if turn <= version)]
        return _accepts(item for item in some if item.rule.holds_in(version))

    return differing(VersionVerdict(since, accepts(since)) for since in sorted({*applied, *edges}))


def differing(verdicts: Iterable[VersionVerdict]) -> tuple[VersionVerdict, ...]:
    """Return the first of equal verdicts in a row; empty if all are equal."""
    firsts = tuple(next(same) for _, same in groupby(verdicts, key=lambda item: item.accepts))
    return firsts if len(firsts) > 1 else ()
