"""Read the symbols and types of a kernel as all commands do, and keep the tables themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final, NamedTuple

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import Spent
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.cutting.asked_names import AskedNames
from vmci_tui.cutting.kernel_tables import TypesPlace, banner_place, pieces, symbols_places, types_place
from vmci_tui.cutting.recorder import Part
from vmci_tui.cutting.stack_words import reader_of_words
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.backtrace.trace import traces_of
from vmci_tui.kernel.cpus.cpu import cpus_of
from vmci_tui.kernel.cpus.cpu_memory import MAPPED, paddr_by_cpu
from vmci_tui.kernel.cpus.survey import SeenCpu, survey
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.image.places import places, read_with_holes
from vmci_tui.kernel.lines.gather import KNOWN_TYPE, kernel_of
from vmci_tui.kernel.lines.kernel_state import TAINT
from vmci_tui.kernel.lines.made_text import made_text
from vmci_tui.kernel.lines.prove_lines import prove_lines
from vmci_tui.kernel.symbols.crash_kernel import runs_after_crash
from vmci_tui.kernel.symbols.modules import Modules
from vmci_tui.kernel.symbols.read_symbols import KernelSymbols
from vmci_tui.kernel.symbols.table import SymbolTable
from vmci_tui.kernel.symbols.translation import runs_kernel
from vmci_tui.kernel.tasks.current import task_of
from vmci_tui.kernel.types.btf import STEPS
from vmci_tui.kernel.types.names import Names
from vmci_tui.kernel.variables.loaded_modules import loaded_modules
from vmci_tui.kernel.variables.uptime import uptime_of

_PIECE: Final = 1 << 20


class Tables(NamedTuple):
    """The tables of a kernel, in memory whose reads are recorded."""

    recorded: Guest
    plain: Guest
    """The same memory, without a record."""
    text: Vmcoreinfo | None
    """The text that memory is read by."""
    symbols: KernelSymbols
    kernel: RunningKernel | None
    """The kernel with its types, without a record; None if types are not wanted."""

    def read_symbols(self, progress: Progress) -> None:
        """Read the table of symbols, and what leads to the kernel: its banner, and the page tables of CPUs.

        Raises what `progress` raises.
        """
        cpus = cpus_of(self.recorded.notes, self.recorded.machine)[:MAPPED]
        for _ in places(self.recorded, cpus, (), Budget(), progress, within=0):
            pass
        for cpu in cpus:
            for address in (self.symbols.table.address(b"_stext"), cpu.role("pc")):
                paddr_by_cpu(self.recorded, cpu, address or 0)
            runs_kernel(self.recorded, cpu, self.symbols.table)
        runs_after_crash(self.recorded, self.symbols.table, self.symbols.order)
        self._keep(banner_place(self.symbols))
        for part in symbols_places(self.symbols):
            self._keep(part)
        self._seen(self.symbols.table)

    def read_types(self, texts: Iterator[Vmcoreinfo]) -> None:
        """Read types and variables: for the proof of every line, the task of each CPU, modules and uptime."""
        if self.kernel is None:
            return
        known = self.kernel.types
        names = AskedNames(Names(b"") if known is None else known.names)
        types = None if known is None else replace(known, names=names, budget=Budget(STEPS))
        kernel = replace(kernel_of(self.recorded, self.symbols), types=types, searched=self.kernel)
        with suppress(Spent):
            self._ask(kernel, texts)
        place = self._types_place()
        if place is not None:
            self._keep(place.types)
            for part in place.names(names.parts()):
                self._keep(part)

    def _ask(self, kernel: RunningKernel, texts: Iterator[Vmcoreinfo]) -> None:
        """Ask what is said of a kernel by its types. Raises Spent."""
        if kernel.types is not None:
            kernel.types.ids(KNOWN_TYPE)
        for text in texts:
            prove_lines(kernel, text)
        made_text(kernel)
        uptime_of(kernel)
        kernel.variable(TAINT)
        table = self.symbols.table
        for read in (
            kernel.read,
            *(one.read for one in survey(self.recorded, self.text, kernel.read, exact=True).cpus[:1]),
        ):
            table.modules = Modules(loaded_modules(replace(kernel, read=read)))
        for one in self._seen(table, kernel):
            task_of(replace(kernel, read=one.read), one.cpu, one.doing.where == "kernel")

    def _seen(self, table: SymbolTable, kernel: RunningKernel | None = None) -> tuple[SeenCpu, ...]:
        """Return what each CPU was doing, after reading what its stack says of that.

        `kernel`: by whose table of symbols its image is read, where no page tables are known.
        """
        recorded = survey(self.recorded, self.text, None if kernel is None else kernel.read, exact=True).cpus
        plain = survey(self.plain, self.text, None if self.kernel is None else self.kernel.read).cpus
        seen = tuple(
            one._replace(read=reader_of_words(one.cpu, one.read, other.read, table))
            for one, other in zip(recorded, plain, strict=True)
        )
        traces_of(seen, [table] * len(seen))
        return seen

    def _keep(self, part: Part) -> None:
        for at, length in pieces(part, _PIECE):
            read_with_holes(self.recorded, at, length)

    def places(self) -> Iterator[Part]:
        """Yield where the tables are."""
        yield from symbols_places(self.symbols)
        types = self._types_place()
        if types is not None:
            yield types.start, types.end

    def _types_place(self) -> TypesPlace | None:
        if self.kernel is None or self.kernel.types is None:
            return None
        return types_place(self.plain, self.symbols, self.kernel, self.kernel.types)
