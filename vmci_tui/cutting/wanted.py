"""Read guest memory as proof, log and readers do, and record it: the bytes that a cut keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple

from vmci_tui.adoption.choose import search
from vmci_tui.adoption.kernel_state import kernel_state
from vmci_tui.adoption.rank import choose, rank_candidates
from vmci_tui.adoption.text_to_read import text_to_read
from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import PackageMissing, Spent
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.cutting.asked_names import AskedNames
from vmci_tui.cutting.for_makedumpfile import read_as_makedumpfile
from vmci_tui.cutting.kernel_tables import TypesPlace, banner_place, pieces, symbols_places, types_place
from vmci_tui.cutting.recorder import Part, Recorder
from vmci_tui.document.state import State
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.backtrace.trace import traces_of
from vmci_tui.kernel.cpus.cpu import cpus_of
from vmci_tui.kernel.cpus.cpu_memory import MAPPED, paddr_by_cpu
from vmci_tui.kernel.cpus.survey import survey
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.image.places import places, read_with_holes
from vmci_tui.kernel.lines.gather import KNOWN_TYPE, kernel_of, kernel_with_types
from vmci_tui.kernel.lines.made_text import made_text
from vmci_tui.kernel.lines.prove_lines import prove_lines
from vmci_tui.kernel.log.read_log import read_log
from vmci_tui.kernel.symbols.read_symbols import KernelSymbols, read_symbols
from vmci_tui.kernel.tasks.current import task_of
from vmci_tui.kernel.types.btf import STEPS
from vmci_tui.kernel.types.names import Names
from vmci_tui.kernel.variables.loaded_modules import loaded_modules
from vmci_tui.layers.file import Source
from vmci_tui.proof import prove
from vmci_tui.readers.file_view import View
from vmci_tui.readers.verdicts import ChosenReaders, judge_file
from vmci_tui.search.candidate import RankedCandidate

_PIECE: Final = 1 << 20
KINDS: Final = ("note", "proof", "cpus", "log", "symbols", "types")
"""What a cut can keep; `note` is the guest's own copies of it in memory."""
DEFAULT: Final = frozenset(("note", "proof", "cpus", "log"))


class Recorded(NamedTuple):
    """What was read."""

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
    recorder = Recorder(guest.source)
    kinds = _with_needed(kinds, state)
    chosen = text_to_read(state.vmcoreinfo, guest, progress)
    found = _found(state.vmcoreinfo or chosen.text, guest, progress)
    tables = _tables(chosen.text, guest, kinds, progress)
    of = _Of(guest._replace(source=recorder), guest, state.vmcoreinfo, chosen.text, found, tables, kinds, progress)
    steps: dict[str, Callable[[], object]] = {
        "note": of.note,
        "proof": of.proof,
        "cpus": partial(of.cpus, as_cut(recorder), readers),
        "log": of.log,
        "symbols": of.symbols,
        "types": of.types,
    }
    for kind, step in steps.items():
        if kind in kinds:
            with recorder.recording(kind):
                step()
    if "makedumpfile" in programs:
        with recorder.recording("makedumpfile"):
            of.makedumpfile()
    return Recorded(recorder.read_for(guest.memory), recorder.parts(), tuple(of.table_places()), tuple(of.remarks()))


def _with_needed(kinds: frozenset[str], state: State) -> frozenset[str]:
    """Return the kinds with those without which they cannot be read again."""
    needed = {"symbols"} if "types" in kinds else set()
    needed |= set() if kinds.isdisjoint(("symbols", "types")) else {"proof"}  # it says where the kernel is
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


class _Tables(NamedTuple):
    """The tables of the kernel that runs; None if they are not wanted, or not in memory."""

    symbols: KernelSymbols | None = None
    kernel: RunningKernel | None = None


def _tables(text: Vmcoreinfo | None, guest: Guest, kinds: frozenset[str], progress: Progress) -> _Tables:
    if kinds.isdisjoint(("symbols", "types")):
        return _Tables()
    found = read_symbols(guest, text, progress)
    if not found or "types" not in kinds:
        return _Tables(next(iter(found), None))
    return _Tables(found[0], kernel_with_types(guest, found[0]))


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
    tables: _Tables
    wanted: frozenset[str]
    progress: Progress

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
        for text in self._texts():
            prove(text, self.guest, search=False)

    def cpus(self, view: View, readers: ChosenReaders) -> None:
        """Read what each CPU did, and what all readers read: they walk the page tables of CPUs."""
        for text in self._texts():
            survey(self.guest, text)
        judge_file(view, readers.dumps)

    def log(self) -> None:
        """Read the records of the log, and no other byte of its buffers."""
        if self.text is not None:
            read_log(self.text, self.guest, exact=True)

    def makedumpfile(self) -> None:
        if self.text is not None:
            read_as_makedumpfile(self.text, self.guest)

    def symbols(self) -> None:
        """Read the table of symbols, and what leads to the kernel: its banner, and the page tables of CPUs."""
        symbols = self.tables.symbols
        if symbols is None:
            return
        cpus = cpus_of(self.guest.notes, self.guest.machine)[:MAPPED]
        for _ in places(self.guest, cpus, (), Budget(), self.progress, within=0):
            pass
        for cpu in cpus:
            for address in (symbols.table.address(b"_stext"), cpu.role("pc")):
                paddr_by_cpu(self.guest, cpu, address or 0)
        self._keep(banner_place(symbols))
        for part in symbols_places(symbols):
            self._keep(part)
        seen = survey(self.guest, self.text).cpus
        traces_of(seen, [symbols.table] * len(seen))

    def types(self) -> None:
        """Read types and variables: for the proof of every line, the task of each CPU, modules and uptime."""
        symbols, kernel = self.tables
        if symbols is None or kernel is None:
            return
        names = AskedNames(kernel.types.names if kernel.types is not None else Names(b""))
        types = None if kernel.types is None else replace(kernel.types, names=names, budget=Budget(STEPS))
        recorded = replace(kernel_of(self.guest, symbols), types=types, searched=kernel)
        with suppress(Spent):
            self._ask(recorded)
        place = self._types_place()
        if place is not None:
            self._keep(place.types)
            for part in place.names(names.parts()):
                self._keep(part)

    def _ask(self, kernel: RunningKernel) -> None:
        """Ask what is said of a kernel by its types. Raises Spent."""
        if kernel.types is not None:
            kernel.types.ids(KNOWN_TYPE)
        for text in self._texts():
            prove_lines(kernel, text)
        made_text(kernel)
        kernel_state(kernel, self.text, self.guest)
        seen = survey(self.guest, self.text, kernel.read).cpus
        for one in seen:
            task_of(replace(kernel, read=one.read), one.cpu, one.doing.where == "kernel")
        for read in (kernel.read, *(one.read for one in seen[:1])):
            loaded_modules(replace(kernel, read=read))

    def _keep(self, part: Part) -> None:
        for at, length in pieces(part, _PIECE):
            read_with_holes(self.guest, at, length)

    def table_places(self) -> Iterator[Part]:
        """Yield where the tables are that are kept."""
        if self.tables.symbols is not None:
            yield from symbols_places(self.tables.symbols)
        types = self._types_place()
        if types is not None:
            yield types.start, types.end

    def _types_place(self) -> TypesPlace | None:
        symbols, kernel = self.tables
        if symbols is None or kernel is None or kernel.types is None:
            return None
        return types_place(self.plain, symbols, kernel, kernel.types)

    def remarks(self) -> Iterator[str]:
        """Yield what a cut cannot keep, because memory does not have it."""
        if self.found is None and self.own is None:
            yield "No note was found in memory: the cut has none."
        if "symbols" in self.wanted and self.tables.symbols is None:
            yield "Memory has no whole symbol table of a kernel (kallsyms): none is kept."

    def _texts(self) -> Iterator[Vmcoreinfo]:
        """Yield the dump's own text, and the one that memory is read by, if that is another one."""
        texts = {text.text: text for text in (self.own, self.text) if text is not None}
        yield from texts.values()
