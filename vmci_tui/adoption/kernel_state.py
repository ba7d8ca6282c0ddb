"""Read the state of the kernel that runs, by its variables and its log."""

from __future__ import annotations

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.lines.kernel_state import KernelState
from vmci_tui.kernel.lines.running_kernel import RunningKernel
from vmci_tui.kernel.log.marks import panic_of
from vmci_tui.kernel.log.read_log import read_log

_PANIC = b"Kernel panic - not syncing"


def kernel_state(kernel: RunningKernel, text: Vmcoreinfo, guest: Guest) -> KernelState:
    """Return the state of a kernel; `text` leads to its log."""
    log = read_log(text, guest)
    # What asked for the panic may be logged before the panic itself.
    panic = next((record for record in log.records if record.text.startswith(_PANIC)), panic_of(log))
    times = [record.nanoseconds for record in log.records if record.nanoseconds is not None]
    return KernelState(
        b"" if panic is None else panic.text,
        kernel.variable(b"tainted_mask"),
        times[-1] / 1e9 if times else None,
    )
