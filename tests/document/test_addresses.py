from __future__ import annotations

import pytest

from tests.dumps.factory import Load, elf, note, ram
from tests.kit import opened
from vmci_tui.common.errors import EditError
from vmci_tui.document import edit_text
from vmci_tui.document.addresses import anchor_of, offset_of
from vmci_tui.document.edit import Edit


def test_a_place_in_memory_is_found_after_the_headers_grew() -> None:
    document = opened(elf((note(),), (Load(0x1000, ram()),)))
    there = offset_of("p0x1010", document.layout)
    assert document.read(there, 8) == ram()[16:24]
    anchors = [anchor_of(offset, document.layout) for offset in (0, 70, there)]
    assert anchors == ["0x0", "0x46", "p0x1010"]
    document.edit(Edit.of(edit_text.add_key, b"A", b"1" * 9000))
    moved = offset_of(anchors[2], document.layout)
    assert moved > there and document.read(moved, 8) == ram()[16:24]
    assert offset_of(" 0x46 ", document.layout) == offset_of("70", document.layout) == 70


def test_an_invalid_place_is_reported() -> None:
    layout = opened(elf((note(),))).layout
    for typed in ("", "p", "x", "-1", "p0xffffffffff", hex(layout.image.size)):
        with pytest.raises(EditError):
            offset_of(typed, layout)
