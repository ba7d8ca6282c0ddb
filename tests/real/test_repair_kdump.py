"""Test QEMU's kdump files without a note and with an empty utsname: the real readers accept the repaired ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dumps.factory import cpus
from tests.dumps.kdump_factory import flattened, kdump
from tests.kit import opened
from tests.opened_files import open_document
from tests.paths import SAMPLES
from tests.proof import guests
from tests.real import readers
from vmci_tui.cli.run import main
from vmci_tui.containers import Dump
from vmci_tui.findings.judgement import Judgement

_GUESTS = {"amd64": "x86_64", "arm64": "Unknown", "s390x": "S390X", "i386-pae": "i686", "ppc64el-radix": "Unknown"}
"""The machines, each with the utsname.machine that QEMU writes."""


def elf_of(name: str) -> Dump:
    """Return the cut dump of the guest, without a note."""
    if name in guests.TRUTH:
        return guests.dump(name)
    dump = opened((SAMPLES / f"{name}-cut-nonote.elf").read_bytes()).dump
    assert dump is not None
    return dump


def kdump_of(name: str) -> bytes:
    """Return the guest's pages as a kdump file of QEMU; distant page frames cost only bitmap."""
    dump = elf_of(name)
    memory = {}
    for item in dump.memory.ranges:
        assert item.offset is not None
        for at in range(item.paddr, item.end - 4095, 4096):
            memory[at // 4096] = dump.source.read(item.offset + at - item.paddr, 4096)
    bits = 32 if name.startswith("i386") else 64
    order = "big" if name.startswith("s390x") else "little"
    notes = [note.raw for note in dump.notes if not note.is_vmcoreinfo]
    return kdump(
        memory,
        notes or [cpus(order=order)],  # type: ignore[arg-type]
        bits=bits,  # type: ignore[arg-type]
        order=order,  # type: ignore[arg-type]
        uts={"machine": _GUESTS[name].encode()},
    )


def true_text(name: str) -> str:
    if name in guests.TRUTH:
        return guests.true_text(name).text.decode()
    text = open_document(str(SAMPLES / f"{name}-cut-note.elf")).state.vmcoreinfo
    assert text is not None
    return text.text.decode()


@pytest.mark.parametrize("flat", [False, True], ids=["plain", "flattened"])
@pytest.mark.parametrize("name", _GUESTS)
def test_repair_fixes_note_phys_base_and_utsname_at_once(name: str, flat: bool, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.kdump", tmp_path / "good.kdump"
    raw = kdump_of(name)
    bad.write_bytes(flattened(raw, cuts=range(4096, len(raw), 1 << 16)) if flat else raw)
    assert readers.drgn_text(str(bad)).code != 0
    main(["repair", str(bad), "-o", str(good)])
    document = open_document(str(good))
    assert document.container == "kdump" and document.state.vmcoreinfo is not None
    assert document.state.vmcoreinfo.text.decode() == true_text(name)
    said = Judgement.of(document).shown
    ran = readers.drgn_text(str(good))
    assert (ran.code, ran.out) == (0, true_text(name))
    assert said["drgn"].accepts and said["libkdumpfile"].accepts
    if name == "amd64":
        assert readers.crash_osrelease(str(good)) == "6.1.0-56-amd64"
        ran = readers.makedumpfile_dmesg(str(good), tmp_path / "dmesg")
        assert ran.code == 0 and "makedumpfile Completed" in ran.out, ran.out
        assert "Linux version 6.1.0-56-amd64" in (tmp_path / "dmesg").read_text("latin-1")
        assert said["crash"].accepts and said["makedumpfile"].accepts


@pytest.mark.parametrize("flat", [False, True], ids=["plain", "flattened"])
def test_a_save_in_place_keeps_the_container_and_is_undone(flat: bool, tmp_path: Path) -> None:
    path = tmp_path / "dump.kdump"
    raw = kdump_of("amd64")
    before = flattened(raw, cuts=range(4096, len(raw), 1 << 16)) if flat else raw
    path.write_bytes(before)
    main(["repair", str(path), "--in-place"])
    assert open_document(str(path)).container == ("flattened" if flat else "kdump")
    assert readers.drgn_text(str(path)).out.endswith(true_text("amd64"))  # before it a word about the form
    assert readers.crash_osrelease(str(path)) == "6.1.0-56-amd64"
    assert main(["undo", str(path)]) == 0 and path.read_bytes() == before
