"""Read guest memory as proof, log and readers do, and record it: the bytes that a cut keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, NamedTuple

from vmci_tui.adoption.choose import search
from vmci_tui.adoption.rank import choose, rank_candidates
from vmci_tui.adoption.text_to_read import text_to_read
from vmci_tui.common.errors import PackageMissing
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.cutting.for_makedumpfile import read_as_makedumpfile
from vmci_tui.cutting.log_text import without_log
from vmci_tui.cutting.recorder import Part, Recorder
from vmci_tui.cutting.tables import Tables
from vmci_tui.document.state import State
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.cpus.survey import survey
from vmci_tui.kernel.lines.gather import kernel_with_types
from vmci_tui.kernel.log.read_log import read_log
from vmci_tui.kernel.symbols.read_symbols import KernelSymbols, read_symbols
from vmci_tui.layers.file import Source
from vmci_tui.proof import prove
from vmci_tui.readers.file_view import View
from vmci_tui.readers.verdicts import ChosenReaders, judge_file
from vmci_tui.search.candidate import RankedCandidate

KINDS: Final = ("note", "proof", "cpus", "log", "symbols", "types")
"""What a cut can keep; `note` is the guest's own copies of it in memory."""
_OF_TABLES: Final = ("symbols", "types")
DEFAULT: Final = frozenset(("note", "proof", "cpus", "log"))


class Recorded(NamedTuple):
    """What was read."""

    source: Source
    """The memory: all of it, or without the texts of the log if they are not wanted."""

    by: Mapping[str, tuple[Part, ...]]
    """The physical addresses by what they are read for, sorted and disjoint."""
    parts: tuple[Part, ...]
    """All of them as offsets in the source of guest memory."""
    tables: tuple[Part, ...] = ()
    """Where the kernel's tables of symbols and types are among them: names that every such kernel has."""
    remarks: tuple[str, ...] = ()
    """What could not be read, a sentence each."""


def record(
    state: State,
    guest: Guest,
    kinds: frozenset[str],
    readers: ChosenReaders,
    programs: frozenset[str],
    as_cut: Callable[[Source], View],
    progress: Progress,
) -> Recorded:
    """Read what `kinds` name, what the rules of all readers read, and what `programs` read beyond these rules.

    `as_cut` lays a source of this memory out as cuts are: readers may find other memory in the dump's own layout.
    Raises what `progress` raises.
    """
    kinds = _with_needed(kinds, state)
    chosen = text_to_read(state.vmcoreinfo, guest, progress)
    symbols = () if kinds.isdisjoint(_OF_TABLES) else read_symbols(guest, chosen.text, progress)
    if "log" not in kinds:
        guest = guest._replace(source=without_log(guest, chosen.text, next(iter(symbols), None)))
    recorder = Recorder(guest.source)
    found = _found(state.vmcoreinfo or chosen.text, guest, progress)
    recorded = guest._replace(source=recorder)
    of = _Of(recorded, guest, state.vmcoreinfo, chosen.text, found)
    kernels = tuple(tables_of(recorded, guest, chosen.text, symbols, kinds))
    steps: dict[str, Callable[[], object]] = {
        "note": of.note,
        "proof": of.proof,
        "cpus": partial(of.cpus, as_cut(recorder), readers),
        "log": of.log,
    }
    if kernels:
        steps["symbols"] = lambda: [one.read_symbols(progress) for one in kernels]
        steps["types"] = lambda: kernels[0].read_types(of.texts())
    done: dict[str, object] = {}
    for kind, step in steps.items():
        if kind in kinds:
            with recorder.recording(kind):
                done[kind] = step()
    if "makedumpfile" in programs:
        with recorder.recording("makedumpfile"):
            of.makedumpfile()
    places = tuple(part for one in kernels for part in one.places())
    return Recorded(
        guest.source,
        recorder.read_for(guest.memory),
        recorder.parts(),
        places,
        tuple(_remarks(of, kinds, kernels, done)),
    )


def _with_needed(kinds: frozenset[str], state: State) -> frozenset[str]:
    """Return the kinds with those without which they cannot be read again."""
    needed = {"symbols"} if "types" in kinds else set()
    needed |= set() if kinds.isdisjoint(_OF_TABLES) else {"proof"}  # it says where the kernel is
    needed |= {"note"} if kinds and state.vmcoreinfo is None else set()
    return kinds | needed


def _found(text: Vmcoreinfo | None, guest: Guest, progress: Progress) -> RankedCandidate | None:
    """Return the guest's own note in memory: the one that would be adopted, else the one with the dump's text."""
    try:
        found = search(guest, progress)
    except PackageMissing:
        return None
    same = (item for item in found if text is not None and item.candidate.text == text.text)
    return choose(found) or next(same, None) or (found[0] if found else None)


def tables_of(
    recorded: Guest,
    guest: Guest,
    text: Vmcoreinfo | None,
    symbols: tuple[KernelSymbols, ...],
    kinds: frozenset[str],
) -> Iterator[Tables]:
    """Yield the tables of the kernels in memory; the first has its types too, if they are wanted."""
    for number, one in enumerate(symbols):
        with_types = number == 0 and "types" in kinds
        yield Tables(recorded, guest, text, one, kernel_with_types(guest, one) if with_types else None)


def _remarks(of: _Of, kinds: frozenset[str], kernels: tuple[Tables, ...], done: Mapping[str, object]) -> Iterator[str]:
    """Yield what a cut cannot keep, because memory does not have it, and from when its pages are."""
    if of.plain.runs:
        yield "The guest ran while it was read: the pages are not all of one moment."
    if of.found is None and of.own is None:
        yield "No note was found in memory: the cut has none."
    if done.get("log") is False:
        yield "The kernel's log could not be read: none is kept."
    if not kernels and not kinds.isdisjoint(_OF_TABLES):
        yield "Memory has no whole symbol table of a kernel (kallsyms): none is kept."


class _Of(NamedTuple):
    """Reads one dump again, now recorded."""

    guest: Guest
    """The memory whose reads are recorded."""
    plain: Guest
    """The same memory, without a record."""
    own: Vmcoreinfo | None
    text: Vmcoreinfo | None
    """The text that memory is read by: the dump's own, corrected, or the one in memory."""
    found: RankedCandidate | None

    def note(self) -> None:
        """Read all copies of the note in memory, and what leads to them."""
        if self.found is None:
            return
        best = self.found.candidate
        rank_candidates([best], self.guest, partial(prove, search=False))
        for paddr in (best.paddr, *self.found.copies):
            self.guest.read(paddr, len(best.raw))

    def proof(self) -> None:
        """Read the two witnesses."""
        for text in self.texts():
            prove(text, self.guest, search=False)

    def cpus(self, view: View, readers: ChosenReaders) -> None:
        """Read what each CPU did, and what all readers read: they walk the page tables of CPUs."""
        for text in self.texts():
            survey(self.guest, text, exact=True)
        judge_file(view, readers.dumps)

    def log(self) -> bool:
        """Read the records of the log, and no other byte of its buffers; return whether it could be read."""
        return self.text is not None and bool(read_log(self.text, self.guest, exact=True).form)

    def makedumpfile(self) -> None:
        if self.text is not None:
            read_as_makedumpfile(self.text, self.guest)

    def texts(self) -> Iterator[Vmcoreinfo]:
        """Yield the dump's own text, and the one that memory is read by, if that is another one."""
        texts = {text.text: text for text in (self.own, self.text) if text is not None}
        yield from texts.values()
