"""Test the commands on memory images: they work on them as on dumps, and change none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.dumps.factory import note, ram
from tests.images.writers import lime, utsname
from vmci_tui.cli import main
from vmci_tui.findings.judgement import Judgement
from vmci_tui.images.guest_image import ImageChoice
from vmci_tui.layers.file import files_of
from vmci_tui.opening.open_file import open_document
from vmci_tui.repair.next_commands import next_commands

RANGES = ((0x1000, utsname() + ram(0x3000)), (0x100000, note() + ram(0x4000)))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "guest.lime"
    path.write_bytes(lime(RANGES))
    return path


def test_it_is_shown_as_what_it_is(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(image), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["container"], shown["machine"], shown["bits"], shown["entry"]) == ("lime", "x86_64", 64, None)
    assert [(item["paddr"], item["length"]) for item in shown["memory"]] == [(at, len(data)) for at, data in RANGES]


def test_a_note_in_it_is_found_and_memory_is_read_by_address(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["find", str(image), "--json"])
    assert [item["paddr"] for item in json.loads(capsys.readouterr().out)["candidates"]] == [0x100000]
    assert main(["hex", str(image), "--paddr", "0x100000", "--len", "24"]) == 0
    assert "REINFO" in capsys.readouterr().out


def test_a_copy_with_an_edit_is_a_dump_with_the_same_memory(image: Path) -> None:
    copy = image.with_name("copy.elf")
    assert main(["append", str(image), "--from-memory", "0x100000", "-o", str(copy)]) == 0
    with open_document(str(copy)) as document:
        assert document.container == "elf" and document.state.note is not None and document.dump is not None
        for paddr, data in RANGES:
            assert document.dump.memory.read(document.source, paddr, len(data)) == data


@pytest.mark.parametrize(
    "command", ["append IMAGE --from-memory 0x100000", "strip IMAGE", "repair IMAGE", "set IMAGE A=1"]
)
def test_it_is_never_changed_itself(image: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = image.read_bytes(), image.stat().st_mtime_ns
    assert main([*command.replace("IMAGE", str(image)).split(), "--in-place"]) == 2
    assert "convert" in capsys.readouterr().err
    assert (image.read_bytes(), image.stat().st_mtime_ns) == before


def test_the_note_in_it_is_compared_with_another(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", f"{image}@0x100000", f"{image}@0x100000"]) == 0
    capsys.readouterr()
    assert main(["diff", f"{image}@0x1000", f"{image}@0x100000"]) == 3
    assert "neither a note nor a text" in capsys.readouterr().err


def test_its_file_is_closed_with_the_document(image: Path) -> None:
    with open_document(str(image)) as document:
        (file,) = files_of(document.source)
    assert file.fileno() < 0


def test_it_is_not_replaced_by_a_dump_of_it(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = image.read_bytes()
    assert main(["append", str(image), "--from-memory", "0x100000", "-o", str(image)]) == 4
    assert image.read_bytes() == before and [path.name for path in image.parent.iterdir()] == [image.name]


def test_the_map_of_a_raw_image_is_in_every_next_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pc.raw").write_bytes(ram(0x1000))
    Path("pc.iomem").write_text("00100000-00100fff : System RAM\n")
    with open_document("pc.raw", choice=ImageChoice(map="pc.iomem")) as document:
        judgement = Judgement.of(document).complete()
        judgement.__dict__["lines"] = "of a kernel whose tables are in memory"
        commands = [step.command for step in next_commands(judgement) if step.reader == "vmci"]
    assert [command.split()[1] for command in commands] == ["convert", "log", "cpus", "prove"]
    assert all(" pc.raw --map pc.iomem" in command for command in commands)
