"""Find out where each CPU of a dump was, by the kernel's symbols and its log where memory has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from vmci_tui.adoption.kernel_symbols import placed_symbols
from vmci_tui.adoption.text_to_read import text_to_read
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.document.state import State
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.backtrace.trace import Trace, suspect, traces_of
from vmci_tui.kernel.cpus.cpu import Cpu
from vmci_tui.kernel.cpus.cpu_memory import MAPPED, tables_of
from vmci_tui.kernel.cpus.survey import Survey, Suspect, survey
from vmci_tui.kernel.facts.running_kernel import NotKnown, RunningKernel
from vmci_tui.kernel.lines.gather import kernel_with_types
from vmci_tui.kernel.lines.made_text import MadeText, made_text
from vmci_tui.kernel.log.marks import panicked_cpu
from vmci_tui.kernel.log.read_log import read_log
from vmci_tui.kernel.symbols.modules import Modules
from vmci_tui.kernel.symbols.read_symbols import CRASHED, KernelSymbols
from vmci_tui.kernel.symbols.translation import runs_kernel
from vmci_tui.kernel.tasks.current import Task, task_of
from vmci_tui.kernel.variables.loaded_modules import loaded_modules

_ANOTHER = NotKnown("it was in another kernel, whose types are not read")
_TABLES: Final = b"SYMBOL(swapper_pg_dir)"


class LocatedCpus(NamedTuple):
    """The CPUs of a dump, and where each was in the kernel's code."""

    found: Survey
    traces: tuple[Trace, ...]
    """One a CPU; without symbols empty."""
    suspect: Suspect | None
    tasks: tuple[Task | NotKnown, ...] = ()
    """What each ran, or why that is not known; empty without symbols."""
    others: tuple[tuple[int, KernelSymbols], ...] = ()
    """The CPUs that ran another kernel than the first one, and that kernel."""


def locate_cpus(state: State, guest: Guest, progress: Progress) -> LocatedCpus:
    """Return the CPUs, and where each was if one was in a kernel whose symbols are in memory.

    Where the notes do not name the page tables, memory is searched for a text that says where the kernel is. Raises
    what `progress` raises.
    """
    text, note = state.vmcoreinfo, state.note
    found = survey(guest, text)
    if not any(one.doing.where == "kernel" for one in found.cpus) or (note is not None and note.is_windows):
        return LocatedCpus(found, (), found.suspect)
    kernels, text = placed_symbols(text, guest, progress)
    if not kernels or not kernels[0].runs:
        return LocatedCpus(found, (), found.suspect or _by_log(found, guest, text))
    kernel = kernel_with_types(guest, kernels[0])
    if text is None and not any(any(tables_of(one.cpu)) for one in found.cpus[:MAPPED]):
        text = _text_of(kernel, guest, progress)
    found = survey(guest, text, kernel.read)
    runs = tuple(_kernel_of(one.cpu, kernels, guest) for one in found.cpus)
    if inside := next((one for one, of in zip(found.cpus, runs, strict=True) if of is kernels[0]), None):
        kernels[0].table.modules = Modules(loaded_modules(replace(kernel, read=inside.read)))
    traces = traces_of(found.cpus, [one.table for one in runs])
    tasks = tuple(
        task_of(replace(kernel, read=one.read), one.cpu, one.doing.where == "kernel") if of is kernels[0] else _ANOTHER
        for one, of in zip(found.cpus, runs, strict=True)
    )
    others = tuple((one.cpu.number, of) for one, of in zip(found.cpus, runs, strict=True) if of is not kernels[0])
    # Those that were left in another kernel are stopped too, as a panic leaves them.
    panicked = suspect(found._replace(suspect=None) if others else found, traces)
    if kernels[0].runs == CRASHED and len(others) == 1:
        panicked = Suspect(others[0][0], "a crash starts the next kernel on the CPU that panicked")
    return LocatedCpus(found, traces, panicked or _by_log(found, guest, text), tasks, others)


def _kernel_of(cpu: Cpu, kernels: Sequence[KernelSymbols], guest: Guest) -> KernelSymbols:
    """Return the kernel that a CPU runs: after a crash that may be another one; the first if nothing shows it."""
    if len(kernels) == 1:
        return kernels[0]
    return next((one for one in kernels if runs_kernel(guest, cpu, one.table)), kernels[0])


def _text_of(kernel: RunningKernel, guest: Guest, progress: Progress) -> Vmcoreinfo | None:
    """Return a text that says where the page tables are, which no register of these machines does.

    That of the kernel's own tables, or else the one that is in memory.
    """
    made = made_text(kernel)
    if isinstance(made, MadeText) and made.text.get(_TABLES) is not None:
        return made.text
    return text_to_read(None, guest, progress).text


def _by_log(found: Survey, guest: Guest, text: Vmcoreinfo | None) -> Suspect | None:
    """Return the CPU that the log of the kernel names as the one that panicked."""
    number = None if text is None else panicked_cpu(read_log(text, guest))
    if number is None or not any(one.cpu.number == number for one in found.cpus):
        return None
    return Suspect(number, "the kernel's log says so")
