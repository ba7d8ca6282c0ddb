"""Find the harm of a save: readers that accept the file now and would not any more, and lost contents.

Every save is judged here before a byte is written, whatever the container and whichever command asks for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError, SaveError, UsageError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.containers import Dump, open_dump
from vmci_tui.document.document import Document
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.layers.file import Source
from vmci_tui.layers.image import ImageSource
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Verdict
from vmci_tui.readers.verdicts import DEFAULT, NAMES, ChosenReaders, Verdicts, judge_file
from vmci_tui.saving.plan import Plan

_WORSE: Final = "worse"
_MADE: Final = "kernel"
_STOP: Final = "stop"


class LostReader(NamedTuple):
    """A reader that accepts the file now, or reads kernel memory by it, and its worse verdict on the saved file."""

    reader: str
    then: Verdict

    @property
    def misses_note(self) -> bool:
        """Whether it reads the file up to the note, and finds none."""
        return self.then.stage != "before" and self.then.note is None


class Harm(NamedTuple):
    """The harm of a save."""

    worse: tuple[LostReader, ...] = ()
    taken_out: tuple[Safe, ...] = ()
    """Descriptions of contents that the saved file will not have."""

    def unasked(self, consent: Consent) -> tuple[LostReader, ...]:
        """Return the readers that would refuse without the user's consent."""
        return tuple(item for item in self.worse if not consent.covers(item))


class Consent(NamedTuple):
    """The user's consent: `--yes PADDR,kernel,worse:READER,stop,...`."""

    paddr: str | None = None
    """The candidate to adopt, proved or not, as typed."""
    worse: frozenset[str] = frozenset()
    """The readers that may refuse afterwards."""
    stop: bool = False
    """A running guest may stand still for its dump."""
    without_note: bool = False
    """The note is to be removed: readers that refuse because it is missing are expected."""
    made: bool = False
    """The note is to be made from the tables of the kernel in memory."""

    def covers(self, item: LostReader) -> bool:
        return item.reader in self.worse or (self.without_note and item.misses_note)


def consent(typed: str | None) -> Consent:
    """Parse the value of `--yes`; `worse` without a reader means all readers. Raises UsageError for an unknown one."""
    paddr, made, stop, worse = None, False, False, set[str]()
    for word in [] if typed is None else typed.split(","):
        what, colon, reader = word.strip().partition(":")
        if word.strip() == _MADE:
            made = True
        elif word.strip() == _STOP:
            stop = True
        elif what != _WORSE:
            paddr = word.strip()
        elif not colon:
            worse |= set(NAMES)
        elif reader in NAMES:
            worse.add(reader)
        else:
            raise UsageError(f"unknown reader {visible(reader)}", f"choose from {', '.join(NAMES)}")
    return Consent(paddr, frozenset(worse), stop, made=made)


def _foreign(verdict: Verdict) -> bool:
    """Return whether a program refuses because it is built for another machine: it reads no dump of this one."""
    decisive = verdict.decisive
    return decisive is not None and catalogue()[decisive.rule.cause].group == "foreign"


def lost_readers(now: Verdicts, after: Verdicts) -> tuple[LostReader, ...]:
    """Return the readers, in their order, that accept or read kernel memory before and not after."""
    return tuple(
        LostReader(name, after[name])
        for name, verdict in now.items()
        if _falls(verdict, after[name]) and not _foreign(after[name])
    )


def _falls(now: Verdict, after: Verdict) -> bool:
    if not now.accepts:
        return False
    return not after.accepts or bool(now.reads and after.reads is False)


def harm_of(document: Document, plan: Plan, readers: ChosenReaders = DEFAULT) -> Harm:
    """Judge the file that a plan would write. Raises SaveError if it could not be opened again."""
    if document.dump is None or plan.empty:
        return Harm()
    base = plan.base or document.source
    now = judge_file(View(document.source, document.dump.current_layout.image), readers.dumps)
    after = judge_file(View(base, plan.image), readers.dumps)
    return Harm(lost_readers(now, after), _taken_out(document.dump, ImageSource(base, plan.image)))


def harm_of_plain(flattened: Source, plain: Source, readers: ChosenReaders = DEFAULT) -> Harm:
    """Judge making a flattened file plain: its contents stay, but readers may judge it differently."""
    return Harm(lost_readers(judge_file(View(flattened), readers.dumps), judge_file(View(plain), readers.dumps)))


def _taken_out(old: Dump, planned: ImageSource) -> tuple[Safe, ...]:
    try:
        new = open_dump(planned)
    except OpenError as error:
        raise SaveError(f"the result cannot be opened again: {error.message}", "nothing was written") from None
    if new is None:
        raise SaveError("the result is not a dump", "nothing was written; please report this")
    gone = Counter(_contents(old))
    gone.subtract(Counter(_contents(new)))
    return tuple(words if count == 1 else Safe(f"{count} x {words}") for (words, _), count in gone.items() if count > 0)


def _contents(dump: Dump) -> Iterator[tuple[Safe, bytes]]:
    """Yield the contents of a dump except memory: a description and the identifying bytes of each part.

    The VMCOREINFO text is edited, so only its presence counts.
    """
    text = dump.names_text
    for note in dump.notes:
        if note.is_vmcoreinfo:
            text = True
        else:
            name = visible(note.name) or "without a name"
            yield Safe(f"the note {name} of type {note.type:#x}, {note.descsz} bytes"), note.desc
    yield from ((Safe(words), data) for words, data in dump.extras)
    if text:
        yield Safe("the VMCOREINFO note"), b""
