from __future__ import annotations

import pytest

from tests.dumps.factory import cpus, elf, note
from tests.kit import found, opened
from vmci_tui.document.derived_entry import derive, derived_words, no_entry_reason
from vmci_tui.formats.fw_cfg_entry import Entry, EntryHistory


def _fields(*notes: bytes) -> dict[str, int | None]:
    return {item.name: item.value for item in derive(opened(elf((b"".join(notes),))).state)}


@pytest.mark.parametrize(("page", "size"), [(4096, 4132), (16384, 16420), (65536, 65572)])
def test_linux_announces_its_page_and_36(page: int, size: int) -> None:
    fields = _fields(cpus(), note(b"OSRELEASE=6\nPAGESIZE=%d\n" % page))
    assert fields == {"host_format": 0, "guest_format": 1, "size": size, "paddr": None}


def test_what_is_known_is_one_line() -> None:
    state = opened(elf((b"".join((cpus(), note(b"OSRELEASE=6\nPAGESIZE=4096\n"))),))).state
    assert derived_words(state) == "entry not open (E); its size was 4132"
    assert derived_words(opened(elf()).state) == ""


def test_windows_announces_its_own_note() -> None:
    assert _fields(note(b"PAGEDU64" + bytes(0x2000 - 8)))["size"] == 0x2018


def test_without_a_page_size_the_size_is_unknown() -> None:
    assert _fields(note(b"OSRELEASE=6\n"))["size"] is None


def test_an_empty_note_means_a_paddr_outside_memory() -> None:
    fields = _fields(cpus(), bytes(12))
    assert fields["paddr"] is None and fields["guest_format"] == 1
    assert "outside" in derive(opened(elf((bytes(12),))).state)[-1].why


def test_a_dump_without_notes_has_no_derived_entry() -> None:
    assert derive(opened(elf()).state) == ()


@pytest.mark.parametrize(
    ("kinds", "machine", "derived"),
    [
        (((b"CORE\0", 1), (b"QEMU\0", 0)), "x86_64", True),
        (((b"CORE\0", 1),), "x86_64", False),  # /proc/vmcore, and a kdump of it
        (((b"CORE\0", 1),), "aarch64", False),
        (((b"CORE\0", 1), (b"CORE\0", 2)), "aarch64", True),
        (((b"CORE\0", 1), (b"LINUX\0", 0x400)), "arm", True),
        (((b"CORE\0", 1),), "riscv64", True),  # QEMU writes no more there
        (((b"CORE\0", 1), (b"CORE\0", 3), (b"CORE\0", 4)), "riscv64", False),  # /proc/kcore
        (((b"CORE\0", 1), (b"Xen\0", 0x1000001)), "x86_64", False),
        ((), "x86_64", True),  # no note shows it
    ],
)
def test_a_dump_that_qemu_did_not_write_has_no_entry(
    kinds: tuple[tuple[bytes, int], ...], machine: str, derived: bool
) -> None:
    notes = b"".join(note(bytes(336), name, kind) for name, kind in kinds) + note()
    state = opened(elf((notes,))).state
    assert bool(derive(state, machine)) == derived
    assert ("QEMU did not" in no_entry_reason(state, machine)) != derived


def test_qemus_phys_base_is_reported_only_for_its_own_dumps() -> None:
    text = b"OSRELEASE=6.1.0\nPAGESIZE=4096\nNUMBER(phys_base)=16777216\n"
    bare = note(bytes(336), b"CORE\0", 1)
    assert "T16" in found(opened(elf((cpus() + note(text),))))
    assert "T16" not in found(opened(elf((bare + note(text),))))
    entry = EntryHistory.of_blob(Entry(0, 1, 4132, 0x1000).pack())
    assert "T16" in found(opened(elf((bare + note(text),)), entry)), "with an entry it was QEMU"
