"""Read the state of the kernel that runs, by its variables and its log."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from vmci_tui.adoption.kernel_symbols import placed_symbols
from vmci_tui.adoption.text_to_read import text_to_read
from vmci_tui.common.errors import PackageMissing
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.document.document import Document
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.lines.gather import kernel_with_types
from vmci_tui.kernel.lines.kernel_state import TAINT, KernelState
from vmci_tui.kernel.log.marks import panic_of
from vmci_tui.kernel.log.read_log import read_log
from vmci_tui.kernel.log.record import KernelLog
from vmci_tui.kernel.variables.uptime import uptime_of

_PANIC = b"Kernel panic - not syncing"


class ShownKernel(NamedTuple):
    """The kernel in a dump's memory."""

    release: bytes | None
    state: KernelState


def shown_kernel(document: Document, progress: Progress) -> ShownKernel | None:
    """Return the kernel in a dump's memory, by its tables and its log; None if neither is there.

    A running VM is not asked for its tables. Raises what `progress` raises.
    """
    if document.dump is None or document.runs:
        return None
    guest = guest_of(document.dump)
    with suppress(PackageMissing):
        kernels, text = placed_symbols(document.state.vmcoreinfo, guest, progress)
        text = text or text_to_read(None, guest, progress).text
        if kernels:
            kernel = kernel_with_types(guest, kernels[0])
            return ShownKernel(kernel.release, kernel_state(kernel, text, guest))
        if text is not None:
            return ShownKernel(text.osrelease, kernel_state(None, text, guest))
    return None


def kernel_state(kernel: RunningKernel | None, text: Vmcoreinfo | None, guest: Guest) -> KernelState:
    """Return the state of a kernel, by its tables and by the log to which `text` leads."""
    log = KernelLog((), "") if text is None else read_log(text, guest)
    # What asked for the panic may be logged before the panic itself.
    panic = next((record for record in log.records if record.text.startswith(_PANIC)), panic_of(log))
    times = [record.nanoseconds for record in log.records if record.nanoseconds is not None]
    return KernelState(
        b"" if panic is None else panic.text,
        None if kernel is None else kernel.variable(TAINT),
        times[-1] / 1e9 if times else None,
        None if kernel is None else uptime_of(kernel),
    )
