"""Test with real programs that a note that vmci made for a booted guest is as good to them as the kernel's own.

crash and makedumpfile are those of x86-64, so they are asked about dumps of that machine; the others about all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kernel.cut_guests import scrubbed
from tests.real.booted.guest import Guest, guests
from tests.real.readers import (
    crash_osrelease,
    drgn_text,
    eu_readelf_notes,
    makedumpfile_dmesg,
    makedumpfile_filter,
    readelf_notes,
)
from vmci_tui.cli.run import main
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo

pytestmark = [pytest.mark.long, pytest.mark.parametrize("guest", guests(), ids=str)]


def test_programs_take_a_made_note_as_they_take_the_true_one(guest: Guest, tmp_path: Path) -> None:
    copy, text = tmp_path / "copy.elf", tmp_path / "true.txt"
    copy.write_bytes(guest.dump.read_bytes())
    true, _ = scrubbed(copy)
    text.write_bytes(true)
    said = {}
    for kind, source in (("made", ["--from-kernel"]), ("true", ["--text", str(text)])):
        out = tmp_path / "out.elf"
        assert main(["append", str(copy), *source, "-o", str(out)]) == 0
        said[kind] = _said(guest, str(out), tmp_path)
        out.unlink()
    copy.unlink()
    assert said["made"] == said["true"]
    assert said["true"]["readelf"] and said["true"]["eu-readelf"]


def _said(guest: Guest, path: str, folder: Path) -> dict[str, object]:
    """Return what each program makes of a dump, as far as the note decides it."""
    # Of i386 libkdumpfile needs SYMBOL(vmap_area_list), which memory does not show without symbols of variables.
    ways = (False,) if guest.dump.stem.startswith("i386") else (False, True)
    by_itself = [drgn_text(path, by_library, uts=True) for by_library in ways]
    said: dict[str, object] = {
        "readelf": "VMCOREINFO" in readelf_notes(path),
        "eu-readelf": "OSRELEASE=" in eu_readelf_notes(path),
        "drgn": [
            (one.code, _release(one.out), one.out.rpartition("UTS ")[2] if not one.code else "") for one in by_itself
        ],
    }
    if guest.dump.stem.startswith("amd64"):
        out = folder / "made by makedumpfile"
        said["crash"] = crash_osrelease(path)
        for name, run in (("dmesg", makedumpfile_dmesg), ("filter", makedumpfile_filter)):
            out.unlink(missing_ok=True)
            said[name] = (run(path, out).code, out.stat().st_size if out.exists() else 0)
        out.unlink(missing_ok=True)
    return said


def _release(out: str) -> bytes | None:
    return Vmcoreinfo(out.encode("latin-1")).osrelease
