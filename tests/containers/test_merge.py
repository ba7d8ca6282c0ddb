"""Test merging: headers that name the same bytes become one for each range of the same memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dumps.factory import Load, cpus, elf, note, ram
from tests.dumps.kdump_factory import flattened
from tests.kit import elf_of, image_bytes, opened, saved
from tests.opened_files import open_document
from vmci_tui.common.errors import SaveError
from vmci_tui.common.progress import no_progress
from vmci_tui.document import edit_headers
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.layers.file import BytesSource
from vmci_tui.saving.last_save import undo_last_save
from vmci_tui.saving.plan import plan_copy, plan_in_place
from vmci_tui.saving.save_in_place import save_in_place
from vmci_tui.saving.verify import check_saved

_PAGE = 4096
_MANY = (
    Load(0x1000, ram(4 * _PAGE, 1), vaddr=0xFFFF0000),
    *(Load(0x1000, at=0, vaddr=n << 12) for n in range(1, 500)),
    Load(0x100000, ram(_PAGE, 2), memsz=2 * _PAGE),
)


def merged(document: Document) -> Document:
    document.edit(Edit.of(edit_headers.merge_headers))
    return document


def test_merging_gives_one_header_a_range_of_the_same_memory() -> None:
    document = merged(opened(elf((cpus() + note(),), _MANY)))
    data = saved(document)
    after = elf_of(data)
    assert [(s.type, s.paddr, s.filesz, s.memsz) for s in after.segments] == [
        (4, 0, len(cpus() + note()), len(cpus() + note())),
        (1, 0x1000, 4 * _PAGE, 4 * _PAGE), (1, 0x100000, _PAGE, _PAGE), (1, 0x101000, 0, _PAGE),
    ]  # fmt: skip
    assert document.dump is not None
    assert after.memory.read(BytesSource(data), 0x1000, 4 * _PAGE) == ram(4 * _PAGE, 1)
    assert check_saved(document.dump, document.state, BytesSource(data), 1 << 40, no_progress) == 5 * _PAGE
    assert saved(merged(opened(data))) == data, "twice is once"


def test_a_flattened_file_becomes_plain_and_merged_in_either_order() -> None:
    data = flattened(elf((cpus() + note(),), _MANY))
    plain_first, merged_first = opened(data), merged(opened(data))
    for document in (plain_first, merged_first):
        document.edit(Edit.of(edit_headers.make_plain))
    layout = merged_first.saved_layout
    assert layout == merged(plain_first).saved_layout and layout.base is not None
    assert len(elf_of(layout.image.read(layout.base, 0, layout.image.size)).segments) == 4


def test_undo_restores_the_headers() -> None:
    document = merged(opened(elf((cpus() + note(),), _MANY)))
    assert document.unsaved
    document.undo()
    assert not document.unsaved and image_bytes(document, document.layout) == elf((cpus() + note(),), _MANY)


@pytest.mark.parametrize("at", [0, 3 * _PAGE, 5 * _PAGE - 1])
def test_a_changed_byte_is_detected(at: int) -> None:
    document = merged(opened(elf((cpus() + note(),), _MANY)))
    data = bytearray(saved(document))
    data[len(data) - 5 * _PAGE + at] ^= 1
    assert document.dump is not None
    with pytest.raises(SaveError, match="memory differs"):
        check_saved(document.dump, document.state, BytesSource(bytes(data)), 1 << 40, no_progress)


def test_contradicting_headers_are_refused() -> None:
    loads = (Load(0, ram(_PAGE, 1)), Load(2048, ram(_PAGE, 2)))
    document = opened(elf((cpus() + note(),), loads))
    with pytest.raises(SaveError, match="different parts"):
        merged(document)
    assert not document.modified


def test_a_file_that_is_cut_off_is_refused() -> None:
    with pytest.raises(SaveError, match="cut off"):
        merged(opened(elf((cpus() + note(),), _MANY)[:-1]))


def test_in_place_only_headers_are_written_and_can_be_undone(tmp_path: Path) -> None:
    path = tmp_path / "dump.elf"
    path.write_bytes(elf((cpus() + note(),), _MANY))
    old = path.read_bytes()
    document = merged(open_document(str(path)))
    plan = plan_in_place(document)
    assert plan.strategy == "overwrite" and plan.bytes_written <= len(old) - 5 * _PAGE
    assert plan_copy(document).strategy == "copy"
    save_in_place(document, plan)
    document.close()
    assert len(elf_of(path.read_bytes()).segments) == 4
    undo_last_save(str(path))
    assert path.read_bytes() == old
