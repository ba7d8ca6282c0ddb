"""Test memory images in the app: their note is found and put back, and a save makes a dump of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dumps.factory import note, ram
from tests.images.writers import lime
from tests.proof.synthetic import Ram
from tests.tui.driving import running, settled, shown, type_text
from vmci_tui.opening.open_file import open_document
from vmci_tui.repair.next_commands import copy_of, file_words
from vmci_tui.tui.verdict import ahead
from vmci_tui.tui.widgets.plan_list import PlanText

_BASE = 0x10000000


@pytest.fixture
def image(tmp_path: Path) -> Path:
    memory = Ram()
    text = memory.kernel(_BASE)
    first, last = min(memory.pages), max(memory.pages)
    kernel = b"".join(bytes(memory.pages.get(number, bytes(4096))) for number in range(first, last + 1))
    path = tmp_path / "guest.lime"
    path.write_bytes(lime([(0x1000, ram(0x2000)), (0x100000, note(text.text)), (first * 4096, kernel)]))
    return path


def test_names_of_an_image_and_of_its_dump_for_a_shell(image: Path) -> None:
    with open_document(str(image)) as document:
        assert file_words(document) == str(image) and copy_of(document) == str(image.with_suffix(".elf"))
    part = f"{image}@1000\0{image}@{1 << 40:x}"
    with open_document(part) as document:
        assert file_words(document) == f"{image}@1000 {image}@{1 << 40:x}"


async def test_a_large_image_is_repaired_and_saved_as_a_dump(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "_SMALL", 0)  # the process of its own opens what the user named
    monkeypatch.chdir(tmp_path)  # a short name, which is shown whole
    before, out = image.read_bytes(), tmp_path / "out.elf"
    async with running(image.name, size=(120, 36)) as pilot:
        assert "LiME image" in shown(pilot)
        await pilot.press("R")
        await settled(pilot)
        assert "restore the note found at paddr 0x100000" in pilot.app.screen.query_one("#repair", PlanText).text
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("s")
        await settled(pilot)
        assert "Save a dump of" in shown(pilot) and "guest.elf" in shown(pilot) and "In place" not in shown(pilot)
        summary = pilot.app.screen.query_one("#summary", PlanText).text
        assert "An ELF dump of this LiME image, " in summary and ", with the VMCOREINFO note: " in summary
        await type_text(pilot, str(out))
        await pilot.press("enter")
        await settled(pilot)
    with open_document(str(out)) as document:
        assert document.state.note is not None and document.container == "elf"
    assert image.read_bytes() == before
