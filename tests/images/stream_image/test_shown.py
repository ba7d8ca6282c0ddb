"""What `vmci show` says of a stream."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.images.qemu_stream.written import clock, device, entry, filled, ram, sizes, stream
from vmci_tui.cli.run import main
from vmci_tui.opening.open_file import open_document
from vmci_tui.render.plans.save_plan import copy_summary
from vmci_tui.repair.safe_fixes import repair
from vmci_tui.tui.disk.save_session import SaveSession
from vmci_tui.verdict.outlook import way_out

_MEMORY = 16 << 20


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "guest.qevm"
    blocks = [("pc.ram", _MEMORY), ("d1", 4 << 20), ("pc.rom\x1b", 4096)]
    first, last = ram(1, sizes(blocks)), ram(3, b"")
    cpus = device(5, "cpu", b"one") + device(6, "cpu", b"two", instance=1)
    path.write_bytes(stream(first, ram(2, filled(0, 0, "pc.ram")), last, cpus, clock(_MEMORY), entry(paddr=0x5000)))
    return path


def test_json(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(saved), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["container"] == "qemu-stream"
    assert shown["stream"] == {
        "at": 0,
        "machine": "pc-i440fx-7.2",
        "capabilities": [],
        "blocks": [
            {"name": "pc.ram", "length": _MEMORY, "paddr": 0},
            {"name": "d1", "length": 4 << 20, "paddr": None},
            {"name": "pc.rom\\x1b", "length": 4096, "paddr": None},
        ],
        "wrapped": None,
        "compression": None,
        "complete": True,
        "cpus": 2,
    }
    assert (shown["entry"]["origin"], shown["entry"]["paddr"], shown["entry"]["present"]) == ("stream", 0x5000, True)
    assert shown["memory"] == [{"paddr": 0, "length": _MEMORY, "offset": shown["memory"][0]["offset"]}]


def test_text(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(saved)]) == 0
    shown = capsys.readouterr().out
    assert "QEMU stream" in shown
    assert "stream: pc-i440fx-7.2; 2 CPUs, complete" in shown
    assert "pc.ram" in shown.split("stream: ")[1].splitlines()[1]
    assert "16 MiB  from paddr 0x0" in shown
    assert "  The stream does not say at which paddr it has the memory of d1 (4 MiB)" in shown
    assert "\x1b" not in shown


def test_what_is_cut_off_is_said(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved.write_bytes(saved.read_bytes()[:-300])
    assert main(["check", str(saved), "--json"]) == 1
    found = [item for item in json.loads(capsys.readouterr().out)["findings"] if item["code"] == "C02"]
    assert "cut off" in found[0]["message"]


@pytest.fixture
def unplaced(tmp_path: Path) -> Path:
    """Return a stream of which nothing says in which order its blocks are."""
    path = tmp_path / "other.qevm"
    blocks = [("m0", 8 << 20), ("m1", 8 << 19)]
    path.write_bytes(stream(ram(1, sizes(blocks)), ram(3, b""), clock(_MEMORY), entry()))
    return path


def test_a_saved_vm_whose_memory_has_no_address_is_still_one(
    unplaced: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has an entry too, but it is not the entry alone; and the user can say where its memory is."""
    path = unplaced
    assert main(["show", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "QEMU stream" in shown
    assert "m0 (8 MiB), m1 (4 MiB); --blocks NAME,..." in shown
    assert main(["show", str(path), "--json", "--blocks", "m1,m0"]) == 0
    memory = json.loads(capsys.readouterr().out)["memory"]
    assert [(item["paddr"], item["length"]) for item in memory] == [(0, 4 << 20), (4 << 20, 8 << 20)]
    assert main(["show", str(path), "--blocks", "m2"]) == 2


def test_blocks_without_an_address_are_asked_for(unplaced: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The copy is whole: nobody is told to copy it again."""
    main(["check", str(unplaced)])
    shown = capsys.readouterr().out
    todo = next(line for line in shown.split("C02 error")[1].splitlines() if "to do" in line)
    assert "--blocks NAME,..." in todo and "copy" not in shown.split("C02 error")[1].split("next\n")[0]
    assert f"vmci convert {unplaced} --blocks NAME,... -o" in shown and "stands for m0, m1" in shown
    main(["check", str(unplaced), "--blocks", "m1,m0"])
    shown = capsys.readouterr().out
    assert f"vmci convert {unplaced} --blocks m1,m0 -o" in shown and "NAME,..." not in shown


def test_a_dimm_without_an_address_is_not_copied_again(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", str(saved)])
    finding = capsys.readouterr().out.split("C02 error")[1].split("next\n")[0]
    assert "to do: use a dump by `dump-guest-memory`" in finding and "--blocks" not in finding and "copy" not in finding


def test_the_save_of_an_image_says_that_it_is_a_dump_and_what_it_lacks(unplaced: Path) -> None:
    with open_document(str(unplaced)) as document:
        saving = SaveSession(document, lambda _: None)
        lines = copy_summary(document, saving.plan, saving.harm, saving.untouched)
    words = [line.text for line in lines]
    assert words[0] == "Nothing was changed yet: R repairs the dump that is saved, f fixes one finding."
    assert "An ELF dump of this QEMU stream, 4 KiB, without a VMCOREINFO note." in words
    assert [line.text for line in lines if line.text.startswith("The dump will lack memory: ")] and lines[
        -2
    ].kind == "warning"
    assert "identical" not in " ".join(words)


def test_a_note_in_memory_without_an_address_is_not_said_to_be_absent(
    unplaced: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["check", str(unplaced)])
    assert "to do: name the blocks of its memory first: `--blocks NAME,...`" in capsys.readouterr().out
    with open_document(str(unplaced)) as document:
        out = way_out(repair(document)._replace(steps=()), "N01")
    assert out.detail[0] == "It is not in the memory that the file has; some is missing (C02)."
