"""Test `vmci convert`: the dump has the memory of the image and its proved note, and says what the proof is about."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.dumps.factory import note, ram
from tests.images.writers import lime, utsname
from tests.paths import SAMPLES
from tests.proof.synthetic import Ram
from vmci_tui.cli import main
from vmci_tui.common.errors import SaveError
from vmci_tui.opening.open_file import open_document
from vmci_tui.saving.copy_filled import BLOCK
from vmci_tui.saving.new_file import refuse_changed

KERNEL = 0x10000000
"""The phys_base of the kernel in memory; its text is 16 MiB after it."""


def _guest() -> list[tuple[int, bytes]]:
    """Return memory with a kernel, its note at 1 MiB, and pages of zeros in between; the first range has no witness."""
    memory = Ram()
    text = memory.kernel(KERNEL)
    pages = {number * 4096: bytes(page) for number, page in memory.pages.items()}
    first = min(pages)
    kernel = b"".join(pages.get(at, bytes(4096)) for at in range(first, max(pages) + 4096, 4096))
    return [(0x1000, ram(0x9EC00)), (0x100000, note(text.text) + ram(0x3000)), (first, kernel)]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "guest.lime"
    path.write_bytes(lime(_guest()))
    return path


def _json(capsys: pytest.CaptureFixture[str], *command: str) -> dict[str, Any]:
    capsys.readouterr()
    main([*command, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_dump_has_all_memory_and_the_proved_note(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, out = image.read_bytes(), image.with_name("guest.elf")
    made = _json(capsys, "convert", str(image), "-o", str(out))
    assert (made["container"], made["repair"]["proof"]["proved"], made["unread"]) == ("lime", True, [])
    assert all(made["after"][name] for name in ("crash", "drgn", "makedumpfile", "readelf", "eu-readelf"))
    with open_document(str(out)) as document:
        assert document.dump is not None and document.container == "elf" and document.state.note is not None
        ranges = document.dump.memory.ranges
        assert [(item.paddr, item.length) for item in ranges] == [(at, len(data)) for at, data in _guest()]
        for paddr, data in _guest():
            assert document.dump.memory.read(document.source, paddr, len(data)) == data
    assert image.read_bytes() == before and sorted(image.parent.iterdir()) == [out, image]


def test_it_is_proved_for_the_ranges_with_witnesses_only(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _json(capsys, "convert", str(image), "--dry-run")["witnessed"] == [2]
    main(["convert", str(image), "--dry-run"])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("  proved")] and sum("no witness" in line for line in lines) == 2


def test_pages_of_zeros_are_holes(image: Path, tmp_path: Path) -> None:
    data = ram(8 * BLOCK, 3)
    sparse = tmp_path / "sparse.lime"
    sparse.write_bytes(lime([(0x1000, utsname()), (0x100000, bytes(1 << 20) + data + bytes(1 << 20))]))
    out = tmp_path / "out.elf"
    main(["convert", str(sparse), "-o", str(out)])
    assert out.stat().st_blocks * 512 < len(data) + 16 * BLOCK < out.stat().st_size
    with open_document(str(out)) as document:
        assert document.dump is not None
        assert document.dump.memory.read(document.source, 0x200000, len(data)) == data


def test_the_report_has_the_sums_of_both_files_and_what_was_proved(image: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "out.elf", tmp_path / "page.md"
    assert main(["convert", str(image), "-o", str(out), "--report", str(page)]) == 0
    words = page.read_text()
    for path in (image, out):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in words
    assert "no witness" in words and "0x1000-0x9fbff" in words


@pytest.mark.parametrize("taken", ["out.elf", "page.md"])
def test_a_file_that_exists_is_not_replaced(image: Path, tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("mine")
    command = ["convert", str(image), "-o", str(tmp_path / "out.elf"), "--report", str(tmp_path / "page.md")]
    assert main(command) == 4
    assert (tmp_path / taken).read_text() == "mine" and len(list(tmp_path.iterdir())) == 2


def test_an_image_without_a_note_is_written_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "guest.lime", tmp_path / "out.elf"
    path.write_bytes(lime([(0x1000, ram(0x3000))]))
    assert main(["convert", str(path), "-o", str(out)]) == 1
    assert "N01" in capsys.readouterr().out and out.exists()


def test_a_note_that_memory_does_not_prove_is_taken_only_if_it_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "guest.lime", tmp_path / "out.elf"
    path.write_bytes(lime([(0x1000, utsname()), (0x100000, note())]))
    asked = _json(capsys, "convert", str(path), "--dry-run")
    assert asked["repair"]["question"] and asked["witnessed"] == []
    assert main(["convert", str(path), "-o", str(out), "--yes", "0x100000"]) == 0
    with open_document(str(out)) as document:
        assert document.state.note is not None


@pytest.mark.parametrize("name", ["amd64-cut-nonote.elf", "amd64-cut-note.elf", "s390x-cut-note.elf"])
def test_a_dump_of_any_container_is_a_source(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.elf"
    assert main(["convert", str(SAMPLES / name), "-o", str(out)]) == 0
    with open_document(str(SAMPLES / name)) as old, open_document(str(out)) as new:
        assert new.dump is not None and old.dump is not None and new.state.note is not None
        for item in old.dump.guest_memory.ranges:
            data = old.dump.guest_memory.read(old.dump.guest_source, item.paddr, item.length)
            assert new.dump.memory.read(new.source, item.paddr, item.length) == data


def test_a_source_that_has_changed_is_not_saved(image: Path) -> None:
    with open_document(str(image)) as document:
        image.write_bytes(image.read_bytes() + b"x")
        with pytest.raises(SaveError):
            refuse_changed(document.source)


def test_the_image_itself_is_never_the_target(image: Path) -> None:
    before = image.read_bytes()
    assert main(["convert", str(image), "-o", str(image)]) == 4 and image.read_bytes() == before


def test_without_an_output_it_is_an_error_of_usage(image: Path) -> None:
    assert main(["convert", str(image)]) == 2
    assert main(["convert", str(image), "--dry-run", "--report", str(image.with_name("page.md"))]) == 2


def test_a_check_of_an_image_says_whose_verdicts_it_shows(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    main(["check", str(image), "--report", str(page)])
    words = "not of the image itself: what each makes of the ELF dump as which it is shown"
    assert words in capsys.readouterr().out and words in page.read_text()
    main(["check", str(SAMPLES / "crlf.elf")])
    assert "of the image itself" not in capsys.readouterr().out
