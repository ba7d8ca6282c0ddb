"""Test `vmci show --json` over real dumps against their ground truth, pyelftools and readelf.

The samples always; besides, every known file in the folder that VMCI_FULL_DUMPS names.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import NoteSegment

from tests.opened_files import open_document
from tests.paths import DATA, SAMPLES
from tests.real import readers
from vmci_tui.cli.run import main
from vmci_tui.common.safe_text import literal
from vmci_tui.formats.elf_note import parse_raw

_TRUTH: dict[str, dict[str, Any]] = json.loads((DATA / "truth.json").read_text())
_ODD_LAST_NOTE = ("aarch64-be-linux.elf", "x86_64-beyond-ram.elf")
"""QEMU 7.2 left the header of the one little-endian, and the other is 12 zeros: no oracle reads these notes."""
_FOLDERS = [SAMPLES] + [Path(name) for name in [os.environ.get("VMCI_FULL_DUMPS")] if name]
_FILES = {
    path.name: path
    for folder in _FOLDERS
    for path in sorted(folder.rglob("*.elf*"))
    if path.name in _TRUTH["guests"] or path.name in _TRUTH["crafted"]
}


@pytest.fixture(params=_FILES, scope="module")
def path(request: pytest.FixtureRequest) -> Path:
    return _FILES[request.param]


def show(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["show", str(path), "--json"]) == 0
    out: dict[str, Any] = json.loads(capsys.readouterr().out)
    return out


def text_of(shown: dict[str, Any], path: Path) -> bytes:
    """Assemble the note's text from the keys alone, and compare each key with the bytes at its offset."""
    data, lines = path.read_bytes() if path.stat().st_size < 1 << 22 else b"", []
    for key in shown["vmcoreinfo"]["keys"]:
        line = literal(key["key"]) + b"=" + literal(key["value"])
        assert key["length"] == len(line)
        assert not data or data[key["offset"] : key["offset"] + key["length"]] == line
        lines.append(line + b"\n")
    return b"".join(lines)


def test_the_ground_truth(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = show(path, capsys)
    truth = _TRUTH["guests"].get(path.name) or _TRUTH["crafted"][path.name]
    assert (shown["container"], shown["size"]) == ("elf", path.stat().st_size)
    for field in ("machine", "bits", "byte_order"):
        assert shown[field] == truth[field]
    if "notes" in truth:
        assert [[n["name"], n["type"], n["desc_length"]] for n in shown["notes"]] == truth["notes"]
        assert [[m["paddr"], m["length"], m["offset"]] for m in shown["memory"]] == truth["memory"]
        with path.open("rb") as file:
            file.seek(shown["notes"][-1]["offset"])
            digest = hashlib.sha256(file.read(shown["notes"][-1]["length"])).hexdigest()
        assert truth["appended_sha256"] in (None, digest)
    elif truth["note_text_sha256"]:
        text = text_of(shown, path)
        assert hashlib.sha256(text).hexdigest() == truth["note_text_sha256"]
        assert len(text) == truth["note_text_length"]
        assert text.startswith(b"OSRELEASE=" + truth["osrelease"].encode() + b"\n")
    else:
        assert shown["vmcoreinfo"] is None


def test_the_guests_own_note_is_at_its_address(path: Path) -> None:
    """The window has the note that the guest announced, at its paddr."""
    paddr = (_TRUTH["guests"].get(path.name) or {}).get("paddr")
    memory = (document := open_document(str(path))).layout.memory
    if paddr is None or memory.offset_of(paddr) is None:
        return
    note = parse_raw(memory.read(document.source, paddr, 4132))
    text = _TRUTH["guests"][path.name]["guest_text_sha256"]
    assert note is not None and text in (None, hashlib.sha256(note.desc).hexdigest())


def test_pyelftools_reads_the_same(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = show(path, capsys)
    with path.open("rb") as file:
        oracle = ELFFile(file)
        assert oracle.elfclass == shown["bits"]
        assert oracle.little_endian == (shown["byte_order"] == "little")
        segments = list(oracle.iter_segments())
        notes = [n for s in segments if isinstance(s, NoteSegment) for n in s.iter_notes()]
        ours = [(n["offset"], n["length"], n["desc_length"]) for n in shown["notes"]]
        theirs = [(n["n_offset"], n["n_size"], n["n_descsz"]) for n in notes]
        if path.name in _ODD_LAST_NOTE:
            ours, theirs = ours[:-1], theirs[: len(ours) - 1]
        assert ours == theirs
        for load in (s for s in segments if s["p_type"] == "PT_LOAD"):
            held = [m for m in shown["memory"] if m["paddr"] <= load["p_paddr"] < m["paddr"] + m["length"]]
            assert held[0]["offset"] + load["p_paddr"] - held[0]["paddr"] == load["p_offset"]


def test_readelf_reads_the_same(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = show(path, capsys)
    readers.need("readelf")
    head = readers.run("readelf", "-hlW", str(path)).out
    assert f"ELF{shown['bits']}" in head and f"{shown['byte_order']} endian" in head
    loads = re.findall(r"^  LOAD +(0x\w+) 0x\w+ (0x\w+) (0x\w+)", head, re.M)
    assert sum(int(filesz, 16) for _, _, filesz in loads) == sum(m["length"] for m in shown["memory"])
    names = re.findall(r"^  (\S+) +0x[0-9a-f]{8}\s", readers.readelf_notes(str(path)), re.M)
    if path.name not in _ODD_LAST_NOTE:
        assert names == [n["name"] for n in shown["notes"]]
