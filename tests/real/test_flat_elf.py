"""Test flattened ELF dumps of the real `makedumpfile -E -F`: opened, judged, repaired and saved like others."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from tests.data_files import FAULTS, fault
from tests.dumps.kdump_factory import flattened
from tests.limits import PATIENCE
from tests.opened_files import open_document
from tests.paths import SAMPLES
from tests.real import readers
from tests.real.agreement.oracle import Oracle
from tests.tui.driving import running, settled, shown
from vmci_tui.cli.run import main
from vmci_tui.common.safe_text import visible
from vmci_tui.containers.guest import guest_of
from vmci_tui.findings.judgement import Judgement
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers.file_view import View
from vmci_tui.readers.verdicts import judge_file
from vmci_tui.search.find_notes import find

_NOTE = str(SAMPLES / "amd64.note")
_PHYSICAL = """
import sys, hashlib, drgn
prog = drgn.Program(drgn.Platform(drgn.Architecture.X86_64))
prog.set_core_dump(sys.argv[1])
print(hashlib.sha256(b"".join(prog.read(int(at), 4096, True) for at in sys.argv[2:])).hexdigest())
"""


def made(name: str, folder: Path) -> str:
    """The files that makedumpfile makes of a sample: it filters only a dump without a note."""
    readers.need("makedumpfile")
    out = folder / f"{name}.flat"
    with out.open("wb") as file:
        command = ("makedumpfile", "-E", "-F", str(SAMPLES / name))
        subprocess.run(command, check=True, stdout=file, stderr=subprocess.DEVNULL, timeout=PATIENCE)
    return str(out)


def rearranged(path: str) -> str:
    with open(path, "rb") as stdin:
        subprocess.run(
            ("makedumpfile", "-R", path + ".plain"), stdin=stdin, check=True, capture_output=True, timeout=PATIENCE
        )
    return path + ".plain"


@pytest.fixture
def flat(tmp_path: Path) -> str:
    return made("amd64-cut-nonote.elf", tmp_path)


@pytest.fixture
def with_note(flat: str, tmp_path: Path) -> str:
    out = str(tmp_path / "with-note.flat")
    assert main(["append", flat, "--note", _NOTE, "-o", out, "--yes", "worse"]) == 0
    return out


def _pages(path: str) -> list[int]:
    dump = open_document(path).dump
    assert dump is not None
    return [at for item in dump.memory.ranges for at in range(item.paddr, item.end - 4095, 4096)]


def _memory(path: str) -> str:
    """Compare all pages that vmci finds in the file."""
    dump = open_document(path).dump
    assert dump is not None
    guest = guest_of(dump)
    return sha256(b"".join(guest.read(at, 4096) or b"" for at in _pages(path))).hexdigest()


def _drgn_memory(path: str) -> str:
    readers.need("drgn")
    ran = readers.run(sys.executable, "-c", _PHYSICAL, path, *map(str, _pages(path)))
    assert ran.code == 0, ran.out
    return ran.out.splitlines()[-1]


@pytest.mark.parametrize("name", ["amd64-cut-nonote.elf", "arm64-cut-nonote.elf", "zero-note.elf"])
def test_it_is_shown_as_its_plain_dump(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = made(name, tmp_path)
    plain = rearranged(path)
    told = []
    for one in (path, plain):
        assert main(["show", one, "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert [item.pop("container") for item in told] == ["flattened", "elf"]
    for item in told:
        item |= {"file": "", "size": 0, "notes": [row["name"] for row in item["notes"]], "vmcoreinfo": None}
        item["memory"] = [(one["paddr"], one["length"]) for one in item["memory"]]
    assert told[0] == told[1]
    assert _memory(path) == _memory(plain)
    found = [list(find(guest_of(document.dump))) for one in (path, plain) if (document := open_document(one)).dump]
    assert [item._replace(offset=None) for item in found[0]] == [item._replace(offset=None) for item in found[1]]
    assert all(item.offset is None for item in found[0])


def test_unflatten_agrees_with_makedumpfile(flat: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["unflatten", flat, "--yes", "worse", "-o", str(out)]) == 0
    assert out.read_bytes() == Path(rearranged(flat)).read_bytes()


def test_a_reported_file_whose_records_overlap(tmp_path: Path) -> None:
    path = tmp_path / "twice.flat"
    path.write_bytes(fault("flat-elf-twice.flat"))
    said = Judgement.of(open_document(str(path))).shown
    assert (said["drgn"].accepts, said["crash"].accepts, said["makedumpfile"].accepts) == (True, True, False)
    ran = readers.drgn_text(str(path))
    assert ran.code == 0 and "OSRELEASE=6.1.0-56-amd64" in ran.out
    assert readers.crash_osrelease(str(path)) == "6.1.0-56-amd64"
    assert _drgn_memory(str(path)) == _memory(str(path))
    out = str(tmp_path / "out.elf")
    assert main(["repair", str(path), "-o", out]) == 0
    assert all(verdict.accepts for name, verdict in Judgement.of(open_document(out)).shown.items() if name != "qemu")
    assert readers.drgn_text(out, uts=True).code == 0 and _memory(out) == _memory(str(path))


def test_a_flattened_dump_without_a_note() -> None:
    path = str(FAULTS / "elf-basic-flat.dump")
    said = Judgement.of(open_document(path)).shown["drgn"]
    ran = readers.drgn_text(path)
    assert said.accepts is False and ran.code != 0 and str(said.says) in ran.out
    assert readers.crash_osrelease(path) == "unknown"


@pytest.mark.parametrize("way", ["plain", "flattened", "in place"])
def test_repair_adopts_the_note_of_its_memory(way: str, flat: str, tmp_path: Path) -> None:
    """A save in place is undone byte for byte."""
    before, out = Path(flat).read_bytes(), str(tmp_path / "out")
    memory = _memory(flat)
    options = {"plain": ["-o", out], "flattened": ["-o", out, "--keep-flattened"], "in place": ["--in-place"]}[way]
    assert main(["repair", flat, *options]) == 0
    out = flat if way == "in place" else out
    document = open_document(out)
    assert document.container == ("elf" if way == "plain" else "flattened")
    document.close()
    ran = readers.drgn_text(out)
    assert ran.code == 0 and "OSRELEASE=6.1.0-56-amd64" in ran.out
    assert readers.crash_osrelease(out) == "6.1.0-56-amd64"
    assert _memory(out) == memory == _drgn_memory(out)
    if way != "plain":
        assert _memory(rearranged(out)) == memory
    if way == "in place":
        assert main(["undo", flat]) == 0 and Path(flat).read_bytes() == before


@pytest.mark.parametrize("way", ["copy", "in place"])
def test_set_and_strip_keep_the_file_flattened(way: str, with_note: str, tmp_path: Path) -> None:
    memory, out = _memory(with_note), str(tmp_path / "out.flat")
    target = ["--in-place"] if way == "in place" else ["-o", out]
    path = with_note if way == "in place" else out
    before = Path(with_note).read_bytes()
    assert main(["set", with_note, "CRASHTIME=1700000000", *target]) == 0
    assert "CRASHTIME=1700000000" in readers.drgn_text(path).out
    assert open_document(path).container == "flattened" and _memory(path) == memory == _drgn_memory(path)
    if way == "in place":
        assert main(["undo", with_note]) == 0 and Path(with_note).read_bytes() == before
    assert main(["strip", with_note, *target]) == 0
    assert readers.drgn_text(path).code != 0 and _memory(path) == memory
    document = open_document(path)  # crash searches strings only: it finds the text in guest memory
    assert document.state.note is None and Judgement.of(document).shown["crash"].says == readers.crash_osrelease(path)


@pytest.mark.parametrize("way", [(), ("--keep-flattened",)], ids=["plain", "flattened"])
def test_addresses_of_program_headers_are_written_through_records(way: tuple[str, ...], tmp_path: Path) -> None:
    """A 32-bit ARM guest: libkdumpfile dies of the file, and reads utsname from the copy."""
    raw = fault("633-armhf.elf")
    path, out = tmp_path / "armhf.flat", str(tmp_path / "out")
    path.write_bytes(flattened(raw, Random(2).sample(range(len(raw)), 12)))
    assert readers.drgn_text(str(path)).code < 0
    assert Judgement.of(open_document(str(path))).shown["drgn"].says == "killed by SIGSEGV"
    assert main(["repair", str(path), "-o", out, *way]) == 0
    ran = readers.drgn_text(out, uts=True)
    assert ran.code == 0 and "6.1.0-50-armmp-lpae" in ran.out and "UTS [b'Linux'" in ran.out


async def test_editing_and_saving_in_the_app(with_note: str) -> None:
    async with running(with_note) as pilot:
        assert "FLATTENED ELF 64 bit LE x86_64" in shown(pilot)
        await pilot.press("5")
        await settled(pilot)
        assert "key OSRELEASE (10 bytes)" in shown(pilot)
        await pilot.press("M")
        await settled(pilot)
        assert "Guest memory of" in shown(pilot)


def test_verdicts_of_drgn_on_damaged_files_are_predicted() -> None:
    readers.need("drgn")
    dumps = []
    for path in sorted(SAMPLES.glob("*.elf*")):
        raw, rng = path.read_bytes(), Random(path.name)
        for kind in range(4):
            data = bytearray(raw)
            for _ in range(min(kind, 2)):
                data[rng.randrange(4, 64 if kind < 3 else 6000)] = rng.choice((0, 1, 255, rng.randrange(256)))
            dumps.append(flattened(bytes(data), rng.sample(range(len(raw)), 20)))
    with Oracle(("drgn", "libkdumpfile")) as oracle:
        for number, (dump, answers) in enumerate(zip(dumps, oracle.ask_many(dumps), strict=True)):
            said = judge_file(View(BytesSource(dump)))
            for name, answer in answers.items():
                assert said[name].accepts == answer.accepts, (number, answer, said[name].says)
                if not answer.accepts and answer.code >= 0:
                    said_by = answer.says.encode("latin-1")  # the type of the exception is before its message
                    assert said[name].says in (visible(said_by), visible(said_by.partition(b": ")[2])), number
