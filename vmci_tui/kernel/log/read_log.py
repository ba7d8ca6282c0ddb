"""Read the kernel's log by the keys of a vmcoreinfo text, in the form that its kernel has."""

from __future__ import annotations

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import PackageMissing, Spent
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.log.printk_ring import read_ring
from vmci_tui.kernel.log.record import KernelLog
from vmci_tui.kernel.log.record_buffer import describes_records, read_records
from vmci_tui.kernel.log.text_buffer import read_text
from vmci_tui.kernel.virtual_memory import VirtualMemory, places_of
from vmci_tui.proof.text_values import symbol, unusable


def read_log(text: Vmcoreinfo, guest: Guest, exact: bool = False) -> KernelLog:
    """Return the log of the kernel that the text describes; without records and with the reason if it is not there.

    With `exact` no byte of the log is read but those of its records. Raises Cancelled by the guest's budget.
    """
    guest = guest._replace(budget=(guest.budget or Budget()).refill())
    try:
        return _read(text, guest, exact)
    except (Spent, PackageMissing) as stopped:
        return KernelLog((), "", (f"{stopped}.",))


def _read(text: Vmcoreinfo, guest: Guest, exact: bool) -> KernelLog:
    if symbol(text, b"prb") is not None:
        read = read_ring
    elif symbol(text, b"log_buf") is None:
        return KernelLog((), "", (f"The note does not say where the kernel's log is: {_missing(text)}.",))
    else:
        read = read_records if describes_records(text) else read_text
    why = "the note does not say where the kernel is in memory"
    for kernel, proved in places_of(text, guest):
        for order in kernel.orders:
            log = read(VirtualMemory(kernel, order, exact), text)
            if isinstance(log, KernelLog):
                return log if proved else log._replace(remarks=(_UNPROVED, *log.remarks))
            why = log
    return KernelLog((), "", (f"{why[0].upper()}{why[1:]}.",))


def _missing(text: Vmcoreinfo) -> str:
    """Return why the text gives no address of a log: it lacks the keys, or their value is not a number."""
    there = next((key for key in (b"SYMBOL(prb)", b"SYMBOL(log_buf)") if text.get(key) is not None), None)
    return "it has neither SYMBOL(prb) nor SYMBOL(log_buf)" if there is None else unusable(text, there)


_UNPROVED = "Memory does not prove this note, so the log may be that of another kernel."
