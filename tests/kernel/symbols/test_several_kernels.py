"""Test memory with several kernels: the one that runs, what a kexec left, and the pages of a kernel's file."""

from __future__ import annotations

from tests.kernel.symbols.kallsyms_writer import Kernel, paged, shift_of, symbols, write
from tests.proof.synthetic import PAGE, Ram
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import Guest
from vmci_tui.kernel.symbols.other_kernels import other_kernels
from vmci_tui.kernel.symbols.read_symbols import CRASHED, read_symbols
from vmci_tui.render.kernel.symbol_report import kernels_words

_RUNS = Kernel(form="per-cpu", paddr=0x6200000, base=0xFFFFFFFF8D100000)
_LEFT = Kernel(form="per-cpu", paddr=0x2200000, base=0xFFFFFFFF81100000)
_OLD = b"Linux version 5.10.0-old (me@here) (gcc 10) #1 SMP\n\0"


def _memory(*left: Kernel) -> tuple[Ram, Guest]:
    """Return memory whose CPU runs one kernel, with others; each names its banner, as with CONFIG_KALLSYMS_ALL."""
    ram = Ram()
    for kernel in (_RUNS, *left):
        named = (kernel.base + 0x300000 + kernel.gap, b"Dlinux_banner")
        write(ram, kernel, sorted([*symbols(kernel), named], key=lambda one: one[0]))
    notes = paged(ram, _RUNS)
    return ram, ram.guest("x86_64")._replace(notes=notes)


def test_a_kernel_that_a_kexec_left_is_named_with_the_reason() -> None:
    _, guest = _memory(_LEFT)
    running = read_symbols(guest)
    (left,) = other_kernels(guest, running, no_progress)
    assert [one.table.shift for one in (*running, left)] == [shift_of(_RUNS), shift_of(_LEFT)] and not left.runs
    first, second = kernels_words((*running, left))
    assert f"{left.paddr:#x}" in first and f"{running[0].paddr:#x}" not in first and "no CPU was in it" in second
    assert not list(other_kernels(guest, (*running, left), no_progress))
    assert len(list(kernels_words((left._replace(runs=CRASHED), *running)))) == 1, "the other one runs"


def test_kernels_are_not_looked_for_where_that_takes_long() -> None:
    """Where pages are compressed, and in a machine that runs."""
    _, guest = _memory(_LEFT)
    for other in (guest._replace(compressed=True), guest._replace(runs=True)):
        assert not list(other_kernels(other, read_symbols(guest), no_progress))


def test_a_table_is_not_that_of_a_file_of_another_kernel_before_it() -> None:
    """Some pages of a kernel's file may be before the image of the kernel that runs."""
    ram, _ = _memory()
    ram.put(_RUNS.paddr - 2 * PAGE + 0x180, _OLD)
    (kernel,) = read_symbols(ram.guest("x86_64"))
    assert kernel.banner.startswith(b"Linux version 6.1.0-test ") and kernel.paddr == _RUNS.paddr
