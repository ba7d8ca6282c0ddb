"""Test the places of guest memory that a proved text names."""

from __future__ import annotations

from collections.abc import Callable

from tests.opened_files import open_document
from vmci_tui.containers.guest import guest_of
from vmci_tui.proof.landmarks import landmarks


def test_only_a_proved_text_has_them(sample: Callable[[str], str]) -> None:
    document = open_document(sample("amd64-cut-note.elf"))
    text, dump = document.state.vmcoreinfo, document.dump
    assert text is not None and dump is not None
    guest = guest_of(dump)
    found = {mark.name: mark for mark in landmarks(text, guest)}
    assert list(found) == ["kernel name (utsname)", "page tables", "kernel code (_stext)", "kernel log"]
    name = found["kernel name (utsname)"]
    assert guest.read(name.paddr, name.length or 0)[:6] == b"Linux\0"  # type: ignore[index]
    assert not landmarks(text.with_value(b"OSRELEASE", b"1.2.3"), guest)
