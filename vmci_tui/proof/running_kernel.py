"""Find out which kernel the processors of an x86 dump run.

After kexec the memory of the previous kernel may be whole: it proves that kernel's text as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.registers.other_sets import QEMU_STATE
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.proof.kernel_addresses import PlacedKernel
from vmci_tui.proof.machines import machines_for
from vmci_tui.proof.paging.walk import walk
from vmci_tui.proof.text_values import symbol

_NAME: Final = b"QEMU\0"
_STATE: Final = QEMU_STATE.record("little")
_CPUS: Final = 64
_USER: Final = 0x1000
"""The tables that a process has while it runs in user mode are one page after those that map the kernel."""


def roots_of(notes: Iterable[Note]) -> tuple[int, ...]:
    """Return the addresses of the page tables that the processors use (CR3), by QEMU's notes; () for other machines."""
    found: list[int] = []
    for note in notes:
        if note.name == _NAME and len(note.desc) >= _STATE.size:
            found.append(int.from_bytes(_STATE.part("cr3", note.desc), "little"))
            if len(found) == _CPUS:
                break
    return tuple(dict.fromkeys(found))


def runs(text: Vmcoreinfo, guest: Guest, roots: Iterable[int]) -> bool | None:
    """Return whether a processor's tables map _stext to where the text says; None if the dump cannot decide.

    False for a text that memory proves: its kernel ran before (kexec), or crashed and the next one took over.
    """
    start, known = symbol(text, b"_stext"), False
    for machine in machines_for(text, guest)[0] if start is not None else ():
        for shift in machine.shifts(text, guest).values if machine.name in ("x86_64", "i386") else ():
            kernel = PlacedKernel(text, guest, machine, shift, "")
            for paging in kernel.pagings:
                mask = ~0x1F if len(paging.levels) == 3 else ~0xFFF
                for root in (at & mask & ~user for at in roots for user in (0, _USER)):
                    found = walk(guest, paging, root, start or 0)
                    if found.state == "mapped" and found.paddr == kernel.paddr(start or 0):
                        return True
                    known = known or found.state != "absent"
    return False if known else None
