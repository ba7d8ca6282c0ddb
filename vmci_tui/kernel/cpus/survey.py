"""Look at all CPUs of a dump together: what each was doing, and which one looks like the one that panicked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.cpus.activity import Activity, Code, activity
from vmci_tui.kernel.cpus.cpu import Cpu, cpus_of
from vmci_tui.kernel.cpus.cpu_memory import reader_of, text_memory


class SeenCpu(NamedTuple):
    """A CPU, and what it was doing."""

    cpu: Cpu
    doing: Activity
    read: Code
    """Reads guest memory as the CPU sees it; None for what the dump or its page tables lack."""


class Suspect(NamedTuple):
    """The CPU that looks like the one that panicked."""

    number: int
    why: str
    """A clause."""


class Survey(NamedTuple):
    """All CPUs of a dump."""

    cpus: tuple[SeenCpu, ...]
    suspect: Suspect | None
    """None: no CPU differs from the others as a panicked one does."""


def survey(guest: Guest, text: Vmcoreinfo | None = None, image: Code | None = None, exact: bool = False) -> Survey:
    """Return the CPUs of a dump; without any where its notes have no registers that can be decoded.

    `text` says where the kernel's memory is on machines whose notes do not name the page tables; `image` reads its
    image. With `exact` no byte is read but those that are looked at, else whole pages.
    """
    memory = text_memory(guest, text, exact)
    others = [one for one in (None if memory is None else memory.read, image) if one is not None]
    seen = []
    for cpu in cpus_of(guest.notes, guest.machine):
        read = reader_of(guest, cpu, others)
        halted = cpu.number in guest.halted
        seen.append(SeenCpu(cpu, activity(cpu, read, halted), read))
    return Survey(tuple(seen), _suspect(seen))


def _suspect(seen: Sequence[SeenCpu]) -> Suspect | None:
    """Return the one CPU that is not stopped where all others are: a panic stops the others.

    On s390x it is the one that is: the others are stopped from outside, and the panicked one loads a disabled wait.
    """
    stopped = [one.cpu.number for one in seen if one.doing.state == "stopped"]
    others = [one.cpu.number for one in seen if one.doing.state != "stopped"]
    if seen and seen[0].cpu.machine == "s390x":
        return Suspect(stopped[0], "it alone is in a disabled wait") if len(stopped) == 1 else None
    if stopped and len(others) == 1 and seen[others[0]].doing.state is not None:
        return Suspect(others[0], "all others are stopped for good, as a panic leaves them")
    return None
