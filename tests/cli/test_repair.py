"""Test find, repair and append --from-memory: output, exit codes, and what they leave unchanged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command_result import CommandResult, Vmci
from tests.opened_files import open_document
from tests.paths import SAMPLES
from tests.proof import guests
from vmci_tui.cli.run import main

Sample = Callable[[str], str]


@pytest.fixture
def vmci(capsys: pytest.CaptureFixture[str]) -> Vmci:
    def run(*arguments: object) -> CommandResult:
        code = main([str(item) for item in arguments])
        return CommandResult(code, *capsys.readouterr())

    return run


BARE = str(SAMPLES / "amd64-cut-nonote.elf")
WITH = str(SAMPLES / "amd64-cut-note.elf")


def test_find_as_text_and_as_json(vmci: Vmci) -> None:
    assert "0x0000019c8000  proved        note, 3304 bytes" in vmci("find", BARE).out
    (found,) = vmci("find", "--json", BARE).json["candidates"]
    assert (found["paddr"], found["kind"], found["length"], found["proved"]) == (0x19C8000, "note", 3304, True)
    assert found["osrelease"] == "6.1.0-56-amd64" and found["offset"] is not None and found["why"]


def test_find_without_a_result(vmci: Vmci, sample: Sample) -> None:
    ran = vmci("find", sample("x86_64-no-note.elf"))
    assert (ran.code, ran.out) == (0, "") and "no note was found" in ran.err
    assert main(["find", sample("good.entry")]) == 2


@pytest.fixture
def image(tmp_path: Path) -> tuple[Path, int]:
    """Write a flat image of a guest's memory from its lowest note; pages that the cut dump lacks are zeros.

    (Of a kernel without kallsyms in its note: zeros there would contradict it.)
    """
    dump, path = guests.dump("amd64-510"), tmp_path / "flat.img"
    first = dump.memory.ranges[1].paddr
    with path.open("wb") as file:
        for item in dump.memory.ranges[1:]:
            if item.offset is not None:
                file.seek(item.paddr - first)
                file.write(dump.source.read(item.offset, item.length))
    return path, first


def test_a_flat_image_is_searched_and_its_note_appended(vmci: Vmci, image: tuple[Path, int], tmp_path: Path) -> None:
    path, at = image
    found = vmci("find", "--json", path, "--raw-at", hex(at)).json["candidates"][0]
    assert found["proved"], found["why"]
    assert found["paddr"] == int(guests.TRUTH["amd64-510"]["true_paddr"], 16)
    out = tmp_path / "out.elf"
    assert vmci("append", BARE, "--note", path, "--raw-at", hex(at), "-o", out).code == 0
    assert open_document(str(out)).state.vmcoreinfo == guests.true_text("amd64-510")


def test_repair_writes_a_copy_and_shows_verdicts_before_and_after(vmci: Vmci, tmp_path: Path) -> None:
    out = tmp_path / "out.elf"
    before = Path(BARE).read_bytes()
    ran = vmci("repair", BARE, "-o", out)
    assert ran.code == 0 and "N01  restore the note found at paddr 0x19c8000" in ran.out
    assert "crash         refuses -> accepts" in ran.out and "the note is proved" in ran.out
    assert Path(BARE).read_bytes() == before
    again = vmci("repair", "--json", out, "-o", tmp_path / "again.elf")
    assert again.code == 0 and again.json["repair"]["steps"] == []
    assert (tmp_path / "again.elf").read_bytes() == out.read_bytes()


def test_a_dry_run_of_repair_writes_nothing(vmci: Vmci, tmp_path: Path) -> None:
    out = tmp_path / "out.elf"
    found = vmci("repair", BARE, "-o", out, "--dry-run", "--json").json
    assert not out.exists() and found["plan"]["way"] == "copy"
    assert found["before"]["crash"] is False and found["after"]["crash"] is True


def test_an_open_question_writes_nothing(vmci: Vmci, sample: Sample, tmp_path: Path) -> None:
    out = tmp_path / "out.elf"
    ran = vmci("repair", sample("zero-note.elf"), "-o", out)
    assert ran.code == 1 and not out.exists() and "--yes PADDR" in ran.err and "0x1958000" in ran.out
    found = vmci("repair", "--json", sample("zero-note.elf"), "-o", out).json
    assert found["plan"] is None and found["repair"]["question"] and found["candidates"]
    assert vmci("repair", sample("zero-note.elf"), "-o", out, "--yes", "0x1958000").code == 0
    assert open_document(str(out)).state.vmcoreinfo is not None


def test_a_repair_in_place_is_undone(vmci: Vmci, tmp_path: Path) -> None:
    path = tmp_path / "dump.elf"
    path.write_bytes(Path(BARE).read_bytes())
    assert vmci("repair", path, "--in-place").code == 0
    assert open_document(str(path)).state.vmcoreinfo == open_document(WITH).state.vmcoreinfo
    assert vmci("undo", path).code == 0
    assert path.read_bytes() == Path(BARE).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("repair", BARE), 2, "missing output"),
        (("repair", BARE, "-o", "x", "--only", "Q99"), 2, "unknown finding code"),
        (("repair", BARE, "-o", "x", "--only", "N06"), 2, "no safe fix"),
        (("repair", BARE, "-o", "x", "--yes", "0x1000"), 2, "there is no candidate at paddr 0x1000"),
        (("repair", SAMPLES / "size-0.entry", "-o", "x", "--yes", "0x1000"), 2, "--yes PADDR needs a dump"),
        (("append", BARE, "--from-memory", "0x1000", "-o", "x"), 2, "there is no candidate at paddr 0x1000"),
        (("append", SAMPLES / "x86_64-no-note.elf", "--from-memory", "-o", "x"), 2, "nothing in memory looks like"),
        (("append", BARE, "--text", "t", "--raw-at", "0", "-o", "x"), 2, "--raw-at needs --note"),
    ],
)
def test_an_impossible_request_is_one_line(
    vmci: Vmci, arguments: tuple[object, ...], code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = vmci(*arguments)
    assert ran.code == code and words in ran.err and ran.err.count("\n") == 1
    assert not Path("x").exists()


def test_repair_of_c06_alone_rewrites_only_the_headers(vmci: Vmci, sample: Sample, tmp_path: Path) -> None:
    out = tmp_path / "out.elf"
    ran = vmci("repair", sample("amd64-note.elf-win4k"), "-o", out, "--only", "C06,C07")
    assert ran.code == 0 and "C06  rewrite the headers in standard order" in ran.out and "adopt" not in ran.out


def test_no_commands_are_offered_for_a_dump_that_stays_wrong(sample: Sample, vmci: Vmci, tmp_path: Path) -> None:
    ran = vmci("repair", sample("class-mismatch.elf"), "-o", str(tmp_path / "out.elf"))
    assert ran.code == 1 and "not repaired" in ran.out and "next" not in ran.out.splitlines()


@pytest.mark.parametrize("name", ["class-mismatch.elf", "size-0.entry"])
def test_nothing_is_written_where_no_error_can_be_repaired(
    sample: Sample, vmci: Vmci, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    ran = vmci("repair", sample(name), "-o", out)
    assert ran.code == 1 and "nothing was written" in ran.err and not out.exists()
    assert vmci("repair", sample(name), "-o", out, "--json").json["plan"] is None


def test_a_copy_of_a_good_dump_is_called_identical(vmci: Vmci, tmp_path: Path) -> None:
    out = tmp_path / "out.kdump"
    ran = vmci("repair", SAMPLES / "amd64-panic.kdump", "-o", out)
    assert ran.code == 0 and "identical copy of" in ran.err
    assert out.read_bytes() == (SAMPLES / "amd64-panic.kdump").read_bytes()


def test_an_entry_is_repaired_as_in_the_app(vmci: Vmci, tmp_path: Path) -> None:
    out = tmp_path / "out.entry"
    ran = vmci("repair", SAMPLES / "two-halves.write.json", "-o", out)
    assert ran.code == 0 and "E01  write all 16 bytes" in ran.out and len(out.read_bytes()) == 16
    assert vmci("check", out).code == 0
    path = tmp_path / "blob.entry"
    path.write_bytes((SAMPLES / "15-bytes.entry").read_bytes())
    assert vmci("repair", path, "--in-place").code == 0 and len(path.read_bytes()) == 16
    assert vmci("undo", path).code == 0 and len(path.read_bytes()) == 15


def test_a_list_of_writes_is_not_changed_in_place(vmci: Vmci, tmp_path: Path) -> None:
    path = tmp_path / "w.write.json"
    path.write_bytes((SAMPLES / "two-halves.write.json").read_bytes())
    ran = vmci("repair", path, "--in-place")
    assert ran.code == 4 and "only describes an entry" in ran.err
