"""The machines: how each one's kernel lies in memory, and what its utsname may say.

Every formula has the form paddr = va - shift for addresses of the kernel image.
"""

from __future__ import annotations

import re
from typing import Final

from vmci_tui.core.bitness import machine_of
from vmci_tui.core.candidate import Correction
from vmci_tui.core.guest import Guest
from vmci_tui.core.proof import paging_x86
from vmci_tui.core.proof.kernel import Machine, Shifts
from vmci_tui.core.proof.values import line, number, symbol
from vmci_tui.core.vmcoreinfo import Vmcoreinfo

_X86_64_MAP: Final = 0xFFFFFFFF80000000
_PHYS_BASE: Final = b"NUMBER(phys_base)"
_OLD_PHYS_BASE: Final = b"SYMBOL(phys_base)"


def _x86_64(text: Vmcoreinfo, guest: Guest) -> Shifts:
    if text.get(_PHYS_BASE) is not None:
        base = number(text, _PHYS_BASE)
        if base is None:
            return Shifts((), f"{line(text, _PHYS_BASE)} is no decimal number, as Linux writes it")
        return Shifts((_X86_64_MAP - base,), line(text, _PHYS_BASE))
    place = symbol(text, b"phys_base")
    if place is None:
        return Shifts((), "the text has no NUMBER(phys_base)", wanted=False)
    # Before 4.10 the text names the variable. Before 4.8 it is 0 but for a kernel that kexec moved.
    if place >= _X86_64_MAP and guest.read(place - _X86_64_MAP, 8) == bytes(8):
        return Shifts((_X86_64_MAP,), f"phys_base 0 read at {place - _X86_64_MAP:#x}")
    return Shifts((), f"{line(text, _OLD_PHYS_BASE)} is where the number lies, in memory that it places itself")


def _mend_x86_64(text: Vmcoreinfo, shift: int) -> tuple[tuple[Correction, ...], ...]:
    if text.get(_PHYS_BASE) is None:
        return ((),)
    base = _X86_64_MAP - shift
    return ((Correction(_PHYS_BASE, b"%d" % base, f"the kernel lies {base:#x} from where its addresses begin"),),)


X86_64: Final = Machine(
    "x86_64",
    64,
    ("little",),
    re.compile(rb"x86_64\Z"),
    _x86_64,
    lambda text, order: paging_x86.long_mode(text),
    2 << 20,
    _mend_x86_64,
)

MACHINES: Final = {machine.name: machine for machine in (X86_64,)}


def machines_for(text: Vmcoreinfo, guest: Guest) -> tuple[tuple[Machine, ...], str]:
    """The machines that the text may have been written on, and why there is none."""
    named = machine_of(text)
    if named is not None and guest.machine is not None and named[0] != guest.machine:
        return (), f"a line that only {named[0]} kernels write, in the dump of a machine that is {guest.machine}"
    name = named[0] if named is not None else guest.machine
    if name is None:
        return (), "neither the file nor the text tells the machine"
    machine = MACHINES.get(name)
    return ((machine,), "") if machine is not None else ((), f"kernels of {name} are not known well enough")
