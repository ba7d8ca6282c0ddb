from __future__ import annotations

import pytest

from tests.dumps.factory import I386, Load, cpus, elf, note, ram
from tests.kit import full_write, opened
from vmci_tui.common.safe_text import Safe
from vmci_tui.document import edit_text
from vmci_tui.document.byte_map import KINDS, Places
from vmci_tui.document.document import Document, entry_document
from vmci_tui.document.edit import Edit
from vmci_tui.formats.fw_cfg_entry import Entry, EntryHistory
from vmci_tui.layers.file import BytesSource

_HOSTILE = note(b"A=1\nbroken\n=\n\n\0", b"VMCOREINFO\0", descsz=15) + note(b"x", b"", 7) + b"tail"
_DOCUMENTS = {
    "classic": opened(elf((cpus() + note(),))),
    "qemu": opened(elf((cpus() + note(),), qemu=True)),
    "32 bit": opened(elf((cpus() + note(),), bits=32, machine=I386, qemu=True)),
    "a gap": opened(elf((note(),), (Load(0, ram(64)), Load(1 << 20, b"", 64)), gap=50)),
    "hostile": opened(elf((_HOSTILE,))),
    "windows": opened(elf((note(b"PAGEDU64" + bytes(82)),))),
    "overlapping": opened(elf((cpus(),), (Load(0, ram()), Load(0, at=0)), phoff=0)),
    "entry": entry_document(
        Safe("e"), EntryHistory("blob", (full_write(Entry(0, 1, 4132, 0).pack()),)), BytesSource(b"")
    ),
    "a long blob": entry_document(Safe("e"), EntryHistory.of_blob(bytes(40)), BytesSource(bytes(40))),
}  # fmt: skip


@pytest.mark.parametrize("name", _DOCUMENTS)
def test_every_byte_is_in_exactly_one_place(name: str) -> None:
    document = _DOCUMENTS[name]
    places, at, size = Places(document), 0, document.layout.image.size
    while at < size:
        place = places.at(at)
        assert place.kind in KINDS and place.label and place.label.isprintable()
        assert place.offset == at and place.length > 0, (at, place)
        assert places.at(place.end - 1) == places.at(at + place.length // 2) == place
        at = place.end
    assert at == size


def _label(document: Document, wanted: bytes) -> str:
    data = document.read(0, document.layout.image.size)
    return Places(document).at(data.index(wanted)).label


def test_fields_and_keys_are_named() -> None:
    document = _DOCUMENTS["classic"]
    at = Places(document).at
    assert (at(4).label, at(18).label, at(64).label) == (
        "ELF header: EI_CLASS", "ELF header: e_machine", "program header 0: p_type"
    )  # fmt: skip
    assert _label(document, b"PAGESIZE=") == "key PAGESIZE" and _label(document, b"4096\n") == "value of PAGESIZE"
    assert _label(document, b"VMCOREINFO") == "note 2: name VMCOREINFO"
    assert _label(document, ram(16)).startswith("guest memory from paddr 0x1000")
    entry = Places(_DOCUMENTS["entry"]).at
    assert [entry(n).label.split()[-1] for n in (0, 2, 4, 8)] == ["host_format", "guest_format", "size", "paddr"]


def test_places_follow_an_edit() -> None:
    document = opened(elf((cpus() + note(),), qemu=True))
    document.edit(Edit.of(edit_text.add_key, b"NEWKEY", b"1" * 9000))
    place = Places(document).at(document.read(0, 20000).index(b"NEWKEY="))
    assert (place.kind, place.label) == ("key", "key NEWKEY")
