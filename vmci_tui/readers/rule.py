"""What a reader is: its rules, its verdict over the bytes of a file, its way with a key.

A rule is one object: when it fires, the words of the program, the bytes concerned, the
cause by which findings group it, and the place in the program's source. What a rule says
is written nowhere else. A rule that was never seen to hold in a run of the program is
marked so, and gives `unknown`, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, Literal, NamedTuple, Protocol, TypeVar

from vmci_tui.common import mishap
from vmci_tui.common.errors import Spent, VmciError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.common.span import Span
from vmci_tui.readers.file_view import View

State = Literal["accepts", "opens", "refuses", "unknown"]
"""A verdict in a word; `opens`: it accepts the file, and then reads no kernel memory."""
_NO_WORDS: Final = Safe("")
_STATES: Final[Mapping[bool | None, State]] = {True: "accepts", False: "refuses", None: "unknown"}
Stage = Literal["before", "note", "after"]
"""Where a refusal lies: before the reader looks for the note, at the note, behind it (in its text)."""


class RuleHit(NamedTuple):
    """That a rule fires: the bytes concerned, and the program's words where they hold a value."""

    span: Span | None = None
    words: str | None = None


class Reading(Protocol):
    """What every reader knows of a file once it has read as much of it as it can."""

    @property
    def note(self) -> Span | None:
        """What it takes for the note; None where it finds none."""
        ...

    @property
    def text(self) -> bytes | None:
        """The text that it follows: the descriptor as far as this reader reads it."""
        ...

    @property
    def osrelease(self) -> bytes | None:
        """The release that it shows or stores, where it comes so far."""
        ...


R = TypeVar("R", bound=Reading)


@dataclass(frozen=True)
class Rule(Generic[R]):
    """One thing that makes a reader refuse, or read something else than what stands there."""

    name: str
    cause: str
    """The code of the finding that it belongs to."""
    stage: Stage
    words: str
    """What the program prints, word for word; empty where it prints nothing."""
    source: str
    """Program, version, file and function in which the rule was read."""
    check: Callable[[R], RuleHit | None]
    why: str
    """The rule in a sentence or two, for people."""
    refuses: bool = True
    """False: the reader goes on, but complains or reads another value."""
    observed: bool = True
    """False: read in the source only, never seen in a run; the verdict is then unknown."""


@dataclass(frozen=True)
class Condition(Generic[R]):
    """When a rule fires, with the reason of the rule."""

    name: str
    why: str
    check: Callable[[R], RuleHit | None]


def why(reason: str) -> Callable[[Callable[[R], RuleHit | None]], Condition[R]]:
    """Give the function below, which finds whether a rule holds, the rule's reason; line breaks count as spaces."""

    def given(check: Callable[[R], RuleHit | None]) -> Condition[R]:
        return Condition(check.__name__.strip("_").replace("_", "-"), " ".join(reason.split()), check)

    return given


class Rules(Generic[R]):
    """The rules of one reader in the order in which the program comes to them."""

    def __init__(self) -> None:
        self.all: list[Rule[R]] = []

    def __call__(
        self, cause: str, stage: Stage, words: str, source: str, *, refuses: bool = True, observed: bool = True
    ) -> Callable[[Condition[R]], Rule[R]]:
        """Make the condition below a rule, behind those that there are."""

        def keep(when: Condition[R]) -> Rule[R]:
            rule = Rule(when.name, cause, stage, words, source, when.check, when.why, refuses, observed)
            self.all.append(rule)
            return rule

        return keep


def only(when: Callable[[R], bool], rules: Iterable[Rule[R]]) -> tuple[Rule[R], ...]:
    """The same rules, of which none holds but where `when` does: those of one kind of file."""

    def guarded(check: Callable[[R], RuleHit | None]) -> Callable[[R], RuleHit | None]:
        return lambda reading: check(reading) if when(reading) else None

    return tuple(replace(rule, check=guarded(rule.check)) for rule in rules)


class FiredRule(NamedTuple):
    """A rule that holds for a file."""

    rule: Rule[Any]
    span: Span | None
    words: Safe


class Value(NamedTuple):
    """What a reader makes of one value."""

    shown: Safe
    """As a person would write it: decimal or 0x..., or the text."""
    number: int | None = None
    how: str = ""
    """In which base or form it was read: `base 16`, `text`, `presence only`."""
    problem: str = ""
    """Why it is not what stands there: `not a number: the key is ignored`; empty where all is well."""


class ProbeResult(NamedTuple):
    """Whether a reader that accepts a file then reads kernel memory by its own translation; utsname is the probe."""

    known: bool | None
    """None: it reads none, or its way is not modelled, or the text does not tell where utsname lies."""
    words: str = ""
    """The program's own words where it reads none."""


NOT_KNOWN: Final = ProbeResult(None)


def _not_known(reading: Any) -> ProbeResult:
    return NOT_KNOWN


Form = Callable[[bytes], Value]
"""How a reader reads the value of a key: from the bytes behind `=`."""


@dataclass(frozen=True)
class Reader(Generic[R]):
    """A program that reads dumps."""

    name: str
    version: str
    """The version that the rules were checked with."""
    command: str
    """How it is run, with FILE for the dump."""
    read: Callable[[View], R]
    rules: tuple[Rule[R], ...]
    accepted: Callable[[R], str]
    """What it prints, in short, where it accepts."""
    lines: Callable[[bytes], Mapping[bytes, bytes]]
    """The keys of the text that it follows, each with the value that counts for it (first or last, as it does)."""
    keys: Mapping[bytes, Form]
    """The keys that it uses, and how it reads each."""
    reads: Callable[[R], ProbeResult] = _not_known
    """Whether it reads kernel memory; asked only where it accepts."""


@dataclass(frozen=True)
class Verdict:
    """What one reader makes of an image."""

    reader: Reader[Any]
    accepts: bool | None
    """None: unknown."""
    says: Safe
    stage: Stage | None
    """Where it refuses; None where it does not."""
    osrelease: Safe | None
    note: Span | None
    text: bytes | None
    fired: tuple[FiredRule, ...]
    """All rules that hold, in the order of the program; the first that refuses decides."""
    reads: bool | None = None
    """Whether it reads kernel memory, too; None where it refuses, or that is not known."""
    unread: Safe = _NO_WORDS
    """Its words where it accepts and reads no kernel memory."""

    @property
    def decisive(self) -> FiredRule | None:
        """The rule by which it refuses: the first that does; None where none does."""
        return next((item for item in self.fired if item.rule.refuses), None)

    @property
    def state(self) -> State:
        """The verdict in a word."""
        if self.accepts and self.reads is False:
            return "opens"
        return _STATES[self.accepts]

    def values(self) -> dict[bytes, Value]:
        """The value that the reader takes for each key that it uses and finds."""
        if self.text is None:
            return {}
        there = self.reader.lines(self.text)
        return {key: form(there[key]) for key, form in self.reader.keys.items() if key in there}


def judge(reader: Reader[Any], view: View) -> Verdict:
    """Run one reader's rules over the bytes of a file; unknown where that takes too many steps, or fails.

    Raises OpenError where the file cannot be read, and Cancelled.
    """
    view.budget.refill(view.size)
    try:
        return decide(reader, reader.read(view))
    except Spent as spent:
        return unknown(reader, f"not known: {spent}")
    except (VmciError, MemoryError):
        raise
    except Exception as error:  # the other readers are judged all the same
        return unknown(reader, f"not known: {mishap.record(error)}")


def unknown(reader: Reader[Any], words: str) -> Verdict:
    """The verdict where it is not known what the program would do, and why not."""
    return Verdict(reader, None, visible(words), None, None, None, None, ())


def decide(reader: Reader[R], reading: R) -> Verdict:
    """Run one reader's rules over what it read: QEMU reads an entry and guest memory, not a file."""
    fired = []
    for rule in reader.rules:
        hit = rule.check(reading)
        if hit is not None:
            fired.append(FiredRule(rule, hit.span, visible(rule.words if hit.words is None else hit.words)))
    first = next((item for item in fired if item.rule.refuses), None)
    accepts: bool | None = first is None
    if first is not None and not first.rule.observed:
        accepts = None
    release = reading.osrelease
    reads = reader.reads(reading) if first is None else NOT_KNOWN
    return Verdict(
        reader,
        accepts,
        visible(reader.accepted(reading)) if first is None else first.words,
        None if first is None else first.rule.stage,
        None if release is None else visible(release),
        reading.note,
        reading.text,
        tuple(fired),
        reads.known,
        visible(reads.words),
    )
