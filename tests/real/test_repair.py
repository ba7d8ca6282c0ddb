"""Test a dump without its note, repaired by one command: every reader of this machine's dumps accepts it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import kit
from tests.opened_files import open_document
from tests.paths import DATA, SAMPLES
from tests.proof import guests
from tests.real import readers
from tests.real.test_append import GUESTS, judge
from vmci_tui.cli.run import main
from vmci_tui.document import edit_text
from vmci_tui.document.edit import Edit
from vmci_tui.findings.judgement import Judgement

Sample = Callable[[str], str]
_GUESTS = DATA / "guests"
_PROVED = ("x86_64", "arm64", "s390x")
"""The bundled guests whose memory proves the note; of the others only a window is bundled."""


def true_text(name: str) -> str:
    """Return the guest's own note: that of the real dump made with the device."""
    text = open_document(str(SAMPLES / GUESTS[name].bare.replace("nonote", "note"))).state.vmcoreinfo
    assert text is not None
    return text.text.decode()


@pytest.mark.parametrize("in_place", [False, True], ids=["copy", "in-place"])
@pytest.mark.parametrize("name", _PROVED)
def test_repair_makes_all_readers_accept(name: str, in_place: bool, sample: Sample, tmp_path: Path) -> None:
    guest = GUESTS[name]
    path = tmp_path / "dump.elf"
    if in_place:
        path.write_bytes(Path(sample(guest.bare)).read_bytes())
        assert main(["repair", str(path), "--in-place"]) == 0
    else:
        assert main(["repair", sample(guest.bare), "-o", str(path)]) == 0
    judge(str(path), true_text(name), guest.release, tmp_path, crash=name == "x86_64", uts=guest.uts)


@pytest.mark.parametrize(
    ("key", "value"),
    [(b"NUMBER(phys_base)", b"4096"), (b"KERNELOFFSET", b"0"), (b"OSRELEASE", b"6.9.9-hyper-v"), (b"PAGESIZE", b"x")],
)
def test_a_falsified_note_is_replaced_by_the_guests_own(
    key: bytes, value: bytes, sample: Sample, tmp_path: Path
) -> None:
    document = open_document(sample("amd64-cut-note.elf"))
    document.edit(Edit.of(edit_text.set_key, key, value))
    bad, good = tmp_path / "bad.elf", tmp_path / "good.elf"
    bad.write_bytes(kit.saved(document))
    assert main(["repair", str(bad), "-o", str(good)]) == 0
    judge(str(good), true_text("x86_64"), GUESTS["x86_64"].release, tmp_path, crash=True, uts=(False,))
    ran = readers.makedumpfile_dmesg(str(good), tmp_path / "dmesg")
    assert ran.code == 0, ran.out


def test_append_from_memory_equals_append_of_the_note(sample: Sample, tmp_path: Path) -> None:
    one, other = tmp_path / "one.elf", tmp_path / "other.elf"
    bare = sample("amd64-cut-nonote.elf")
    assert main(["append", bare, "--from-memory", "-o", str(one)]) == 0
    assert main(["append", bare, "--note", sample("amd64.note"), "-o", str(other)]) == 0
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    "name", ["amd64-la57", "arm64-lpa2", "i386-pae", "armhf-lpae", "ppc64el-radix", "riscv64-sv48", "s390x-72"]
)
def test_guests_of_all_machines_are_repaired(name: str, tmp_path: Path) -> None:
    """Readers of notes accept the dumps; the result of libkdumpfile, which reads memory too, is as predicted."""
    bare, out = tmp_path / "bare.elf", tmp_path / "out.elf"
    bare.write_bytes(gzip.decompress((_GUESTS / f"{name}.elf.gz").read_bytes()))
    assert main(["repair", str(bare), "-o", str(out)]) == 0
    text = guests.true_text(name).text.decode()
    ran = readers.drgn_text(str(out))
    assert (ran.code, ran.out) == (0, text)
    assert "VMCOREINFO" in readers.readelf_notes(str(out))
    shown = readers.eu_readelf_notes(str(out))
    assert all(line in shown for line in text.splitlines())
    predicted = Judgement.of(open_document(str(out))).shown["libkdumpfile"].accepts
    assert (readers.drgn_text(str(out), libkdumpfile=True).code == 0) == predicted
