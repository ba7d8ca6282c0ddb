"""Test that a cut keeps the symbols of all kernels in memory, and what says which one each CPU ran."""

from __future__ import annotations

from tests.kernel.symbols.test_crash_kernel import memory_of
from vmci_tui.common.progress import no_progress
from vmci_tui.cutting.recorder import Recorder
from vmci_tui.cutting.wanted import tables_of


def test_symbols_of_all_kernels_are_kept() -> None:
    guest, crashed, saves, _ = memory_of(0x7000000)
    recorder = Recorder(guest.source)
    with recorder.recording("symbols"):
        for one in tables_of(guest._replace(source=recorder), guest, None, (crashed, saves), frozenset(("symbols",))):
            one.read_symbols(no_progress)
    kept = recorder.read_for(guest.memory)["symbols"]
    for kernel in (crashed, saves):
        header = kernel.table.address(b"elfcorehdr_addr")
        assert header is not None and kernel.table.shift is not None
        places = (
            kernel.paddr,
            header - kernel.table.shift,
            *(at - kernel.table.shift for at in kernel.tables.values()),
        )
        assert all(any(start <= place < end for start, end in kept) for place in places)
