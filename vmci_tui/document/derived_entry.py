"""Derive the entry that the guest must have written from a dump without its blob."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import Safe
from vmci_tui.document.state import State
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.fw_cfg_entry import FORMAT_ELF, linux_size
from vmci_tui.machines.lookup import machine_facts

_PRSTATUS: Final = (b"CORE\0", 1)
_NEVER: Final = frozenset(((b"CORE\0", 3), (b"CORE\0", 4)))
"""NT_PRPSINFO and NT_TASKSTRUCT, which /proc/kcore has (Linux, fs/proc/kcore.c), and QEMU never writes."""
_XEN: Final = b"Xen\0"


class DerivedField(NamedTuple):
    """A field's value, None if unknown, and the reason."""

    name: str
    value: int | None
    why: str


def derive(state: State, machine: str | None = None) -> tuple[DerivedField, ...]:
    """Return the four fields; () if nothing in the dump indicates an entry, or QEMU did not write the dump."""
    note = state.note
    if not may_be_from_qemu(state.notes, machine):
        return ()
    if note is None:
        if any(other.is_empty for other in state.notes):
            return _beyond_memory()
        return ()
    if note.is_windows:
        size, why = len(note.raw), "the Windows driver announces the note's own length"
        return _fields(size, why, "the dump does not record where the note was")
    page = state.vmcoreinfo.page_size if state.vmcoreinfo else None
    if page is None:
        return _fields(None, f"at least {len(note.raw)}, the note's own length")
    return _fields(linux_size(page), f"Linux announces PAGESIZE + 36: {page} + 36")


def derived_words(state: State, machine: str | None = None) -> Safe:
    """Return what is known of the entry as a line of some 40 cells; empty if nothing is."""
    size = next((field.value for field in derive(state, machine) if field.name == "size"), None)
    return Safe("" if size is None else f"entry not open (E); its size was {size}")


def no_entry_reason(state: State, machine: str | None = None) -> str:
    """Return the reason for which `derive` returns ()."""
    if may_be_from_qemu(state.notes, machine):
        return "nothing in the dump indicates one"
    return "QEMU did not write this dump, so there is none"


_SYS = "the dump does not record where the note was; read /sys/kernel/vmcoreinfo in the guest"


def _fields(size: int | None, why_size: str, why_paddr: str = _SYS) -> tuple[DerivedField, ...]:
    return (
        DerivedField("host_format", 0, "the Linux and Windows drivers both write 0, and QEMU ignores it"),
        DerivedField("guest_format", FORMAT_ELF, "QEMU appends only ELF notes"),
        DerivedField("size", size, why_size),
        DerivedField("paddr", None, why_paddr),
    )


def _beyond_memory() -> tuple[DerivedField, ...]:
    return (
        DerivedField("host_format", None, "not recorded"),
        DerivedField("guest_format", FORMAT_ELF, "QEMU appended 12 zero bytes as an ELF note"),
        DerivedField("size", None, "from 12 to 1 MiB"),
        DerivedField("paddr", None, "outside the guest's RAM: it read as zeros"),
    )


def may_be_from_qemu(notes: Iterable[Note], machine: str | None) -> bool:
    """Return whether QEMU may have written a dump with these notes; True also if they do not decide it."""
    kinds = {(note.name, note.type) for note in notes}
    if (b"QEMU\0", 0) in kinds:
        return True
    if kinds & _NEVER or any(name == _XEN for name, _ in kinds):
        return False
    beside = machine_facts(machine).qemu.cpu_note
    return _PRSTATUS not in kinds or beside is None or beside in kinds
