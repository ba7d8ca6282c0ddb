"""Test saved kdump files of every header version, and of an old makedumpfile: the real readers accept both."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.dumps import factory as elf_factory
from tests.dumps.kdump_factory import kdump
from tests.dumps.records import Order, Padding
from tests.opened_files import open_document
from tests.real import readers
from tests.real.test_repair_kdump import kdump_of, true_text
from vmci_tui.cli.run import main

_LINUX = {"sysname": b"Linux", "release": b"6.1.0-test", "version": b"#1 SMP"}
_WAYS = {
    "set": ["KEY(a)=1", "OSRELEASE=6.1.0-next"],
    "header": ["header.phys_base=0x200000"],
    "append": ["--text"],
    "repair": [],
    "strip": [],
}
_TEXT_32 = elf_factory.TEXT_32 + b"SYMBOL(_stext)=c0008000\n"
"""libkdumpfile wants _stext before it reads a page of an ARM dump."""
_MEMORY = """
import hashlib, sys, drgn
name, arch, bits, order = sys.argv[1:5]
flags = drgn.PlatformFlags(0)
if bits == "64": flags |= drgn.PlatformFlags.IS_64_BIT
if order == "little": flags |= drgn.PlatformFlags.IS_LITTLE_ENDIAN
prog = drgn.Program(drgn.Platform(getattr(drgn.Architecture, arch), flags))
prog.set_core_dump(name)
print([hashlib.sha256(prog.read(pfn * 4096, 4096, True)).hexdigest() for pfn in (0, 1, 2, 5, 40)])
"""


def _text(path: Path) -> tuple[int, str]:
    ran = readers.drgn_text(str(path))
    return ran.code, ran.out


@pytest.mark.parametrize("place", ["note", "header"])
@pytest.mark.parametrize("version", range(3, 7))
def test_crash_and_drgn_accept_saved_files(version: int, place: str, tmp_path: Path) -> None:
    bad, good, text = tmp_path / "bad", tmp_path / "good", tmp_path / "text"
    in_note = place == "note" and version > 3
    notes = [elf_factory.cpus(), *([elf_factory.note()] if in_note else [])] if version > 3 else []
    bad.write_bytes(
        kdump(None, notes, version=version, uts={**_LINUX, "machine": b"x86_64"},
              named=b"" if in_note else elf_factory.TEXT_64)
    )  # fmt: skip
    text.write_bytes(elf_factory.TEXT_64.replace(b"6.1.0-test", b"6.1.0-next"))
    drgn_reads = in_note or version == 3
    assert readers.crash_osrelease(str(bad)) == "6.1.0-test" and (_text(bad)[0] == 0) == drgn_reads
    for way, more in _WAYS.items():
        command = "set" if way == "header" else way
        assert main([command, str(bad), *more, *([str(text)] if way == "append" else []), "-o", str(good)]) in (0, 1), (
            way
        )
        release = {"set": "6.1.0-next", "append": "6.1.0-next", "strip": "unknown"}.get(way, "6.1.0-test")
        assert readers.crash_osrelease(str(good)) == release, way
        code, out = _text(good)
        if way == "strip" or not (drgn_reads or way in ("append", "repair")):
            assert code != 0, way
        else:
            assert (code, f"OSRELEASE={release}\n" in out) == (0, True), (way, out)
        good.unlink()


@pytest.mark.parametrize(("machine", "order", "padding", "version", "place"), [
    *(("ARM", "little", "padded", version, "note" if version > 3 else "header") for version in range(3, 7)),
    ("ARM", "big", "padded", 6, "note"), ("ARM", "big", "padded", 4, "header"),
    ("ARM", "little", "padded", 5, "header"), ("ARM", "little", "packed", 6, "note"),
    *(("I386", "little", "packed", version, "header") for version in range(3, 7)),
])  # fmt: skip
def test_libkdumpfile_finds_the_memory_of_a_32_bit_file(
    machine: str, order: Order, padding: Padding, version: int, place: str, tmp_path: Path
) -> None:
    readers.need("drgn")
    bad, good, again = tmp_path / "bad", tmp_path / "good", tmp_path / "again"
    short, long = tmp_path / "short", tmp_path / "long"
    short.write_bytes(_TEXT_32)
    long.write_bytes(_TEXT_32 + b"KEY(of.a.long.name)=1\n" * 300)
    in_note = place == "note" and version > 3
    notes = [elf_factory.note(_TEXT_32, order=order)] if in_note else []
    uts = {**_LINUX, "machine": b"i686" if machine == "I386" else b"armv7l"}
    named = b"" if in_note else _TEXT_32
    bad.write_bytes(kdump(None, notes, 32, order, padding, version, uts=uts, named=named))

    def memory(path: Path) -> readers.CommandResult:
        return readers.run(sys.executable, "-c", _MEMORY, str(path), machine, "32", order)

    before, pages = memory(bad), set()
    assert (before.code == 0) == (in_note or version == 3), before.out
    for way, more in _WAYS.items():
        words = [str(long)] if way == "append" else []
        assert main(["set" if way == "header" else way, str(bad), *more, *words, "-o", str(good)]) in (0, 1), way
        if way == "repair" and not good.exists():  # where no fix is safe no copy is written
            shutil.copy(bad, good)
        if way in ("strip", "set", "header"):  # drgn opens no file without a note: it is given one
            assert main(["append", str(good), "--text", str(short), "-o", str(again)]) in (0, 1), way
            again.replace(good)
        after = memory(good)
        assert after.code == 0, (way, after.out)
        pages.add(after.out)
        good.unlink()
    assert len(pages) == 1 and (before.code or before.out in pages)


def test_names_that_an_old_makedumpfile_read_four_bytes_too_late(tmp_path: Path) -> None:
    """On kernels from 5.11 on drgn then reads the names of the guest, all of them right."""
    bad, good = tmp_path / "bad", tmp_path / "good"
    names = (b"Linux", b"guest", b"6.1.0-56-amd64", b"#1 SMP Debian", b"x86_64", b"(none)")
    raw = b"".join(name.ljust(65, b"\0") for name in names)
    data = bytearray(kdump_of("amd64"))
    data[12:402] = raw[4:] + bytes(4)
    bad.write_bytes(data)
    assert _text(bad)[0] != 0
    assert main(["repair", str(bad), "-o", str(good)]) in (0, 1)
    assert _text(good) == (0, true_text("amd64"))
    header = open_document(str(good)).state.header
    assert header is not None and header.utsname[2] == b"6.1.0-56-amd64" and header.utsname[5] == b"(none)"
    assert header.utsname[0] == b"Linux" and not any(b"\0" in name for name in header.utsname)
