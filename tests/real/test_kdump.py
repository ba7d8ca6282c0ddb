"""Test kdump files with the programs that write and read them: QEMU, makedumpfile, drgn's libkdumpfile."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

import cramjam
import lzallright
import pytest
from backports import zstd

from tests.dumps import kdump_factory as factory
from tests.dumps.records import Bits, Order
from tests.kit import become
from tests.limits import PATIENCE
from tests.opened_files import open_document
from tests.paths import DATA, SAMPLES
from tests.real import readers
from tests.real.qemu_dumps import GUESTS, dump
from vmci_tui.cli import run as cli
from vmci_tui.containers.guest import guest_of
from vmci_tui.containers.kdump.dump import KdumpDump
from vmci_tui.document import edit_headers, edit_notes
from vmci_tui.opening.note_inputs import note_or_text
from vmci_tui.saving.plan import plan_copy, plan_in_place
from vmci_tui.saving.save_copy import save_copy
from vmci_tui.saving.save_in_place import save_in_place
from vmci_tui.search.find_notes import find

_COMPRESSIONS: dict[str, tuple[Callable[[bytes], bytes], int]] = {
    "zlib": (zlib.compress, factory.ZLIB),
    "lzo": (lzallright.LZOCompressor().compress, factory.LZO),
    "snappy": (lambda data: bytes(cramjam.snappy.compress_raw(data)), factory.SNAPPY),
    "zstd": (zstd.compress, factory.ZSTD),
}
_ARCHES: dict[str, tuple[Bits, Order, str, bytes]] = {
    "X86_64": (64, "little", "amd64.note", b"x86_64"),
    "S390X": (64, "big", "s390x.note", b"s390x"),
    "I386": (32, "little", "i386flash.note", b"i686"),
}
_MACHINES = {"x86_64": ("i386", "x86_64")}
"""The machines of ELF and kdump if they differ: a CPU not in long mode is EM_386, and x86_64 by utsname."""
_DRGN = """
import sys, hashlib, drgn, json
path, arch, bits, order, ranges = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], json.loads(sys.argv[5])
flags = drgn.PlatformFlags(0)
if bits == 64: flags |= drgn.PlatformFlags.IS_64_BIT
if order == "little": flags |= drgn.PlatformFlags.IS_LITTLE_ENDIAN
prog = drgn.Program(drgn.Platform(getattr(drgn.Architecture, arch), flags))
prog.set_core_dump(path)
print(json.dumps([hashlib.sha256(prog.read(at, length, True)).hexdigest() for at, length in ranges]))
"""


def _memory(seed: int, pages: int = 300) -> bytes:
    """Return pages of zeros, of compressible and of random bytes."""
    rng = Random(seed)
    kinds = (lambda: bytes(4096), lambda: rng.randbytes(2000) + bytes(2096), lambda: rng.randbytes(4096))
    return b"".join(kinds[rng.randrange(3)]() for _ in range(pages))


@pytest.mark.parametrize("name", GUESTS)
def test_show_and_memory_agree_with_the_elf_dump_of_the_same_guest(name: str, tmp_path: Path) -> None:
    written = dump(GUESTS[name], tmp_path, _memory(5), "elf", "kdump-zlib")
    elf, kdump = open_document(written["elf"]), open_document(written["kdump-zlib"])
    assert elf.dump is not None and isinstance(kdump.dump, KdumpDump)
    assert (kdump.container, kdump.dump.doubts) == ("flattened", ())
    assert [note.raw for note in kdump.dump.notes] == [note.raw for note in elf.dump.notes]
    for note, at in zip(kdump.layout.notes, kdump.layout.note_offsets, strict=True):
        assert kdump.source.read(at, len(note.raw)) == note.raw
    assert kdump.dump.order == elf.dump.order
    assert (elf.dump.machine, kdump.dump.machine) == _MACHINES.get(name, (name, name))
    ranges = [(item.paddr, item.length) for item in elf.dump.memory.ranges]
    assert [(item.paddr, item.length) for item in kdump.dump.memory.ranges] == ranges
    one, two = guest_of(elf.dump), guest_of(kdump.dump)
    for paddr, length in ranges:
        assert one.read(paddr, length) == two.read(paddr, length)


def _hashes(path: str, ranges: list[tuple[int, int]]) -> list[str]:
    opened = open_document(path)
    assert opened.dump is not None
    guest = guest_of(opened.dump)
    return [hashlib.sha256(guest.read(*one) or b"").hexdigest() for one in ranges]


def _drgn(path: str, arch: str, bits: int, order: str, ranges: list[tuple[int, int]]) -> list[str]:
    readers.need("drgn")
    command = (sys.executable, "-c", _DRGN, path, arch, str(bits), order, json.dumps(ranges))
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    out: list[str] = json.loads(done.stdout)
    return out


@pytest.mark.parametrize("name", _COMPRESSIONS)
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("arch", ["X86_64", "S390X", "I386"])
def test_drgn_reads_the_same_memory(name: str, flat: bool, arch: str, tmp_path: Path) -> None:
    """libkdumpfile reads snappy, zstd and lzo in both widths and byte orders: an independent check of our results."""
    compress, flag = _COMPRESSIONS[name]
    raw = _memory(8, 64)
    memory = {7 + 3 * at: raw[at << 12 : (at + 1) << 12] for at in range(64)}
    bits, order, note, machine = _ARCHES[arch]
    notes = [(SAMPLES / note).read_bytes()]
    if arch == "S390X":  # whose lowcore has the address of the note, at 0xe0c
        lowcore = bytes(0xE0C) + (0x2000).to_bytes(8, "big")
        memory |= {0: lowcore.ljust(4096, b"\0"), 1: bytes(4096), 2: notes[0].ljust(4096, b"\0")}
    uts = {"sysname": b"Linux", "release": b"6.1.0", "version": b"#1", "machine": machine}
    plain = factory.kdump(memory, notes, bits, order, compress=compress, flag=flag, uts=uts)
    path = tmp_path / "dump"
    cuts = Random(3).sample(range(len(plain)), 30)
    path.write_bytes(factory.flattened(plain, cuts, Random(4).sample(range(31), 31)) if flat else plain)
    ranges = [(pfn << 12, 4096) for pfn in memory]
    ours = _hashes(str(path), ranges)
    assert ours == [hashlib.sha256(page).hexdigest() for page in memory.values()]
    assert ours == _drgn(str(path), arch, bits, order, ranges)


@pytest.mark.parametrize("name", ["x86_64", "aarch64", "arm"])
def test_unflatten_agrees_with_makedumpfile(name: str, tmp_path: Path) -> None:
    readers.need("makedumpfile")
    written = dump(GUESTS[name], tmp_path, _memory(6), "kdump-zlib")["kdump-zlib"]
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    _rearrange(written, theirs)
    assert cli.main(["unflatten", written, "-o", str(ours)]) == 0
    assert ours.read_bytes() == theirs.read_bytes()
    assert ours.stat().st_blocks <= theirs.stat().st_blocks


@pytest.mark.parametrize("seed", range(4))
def test_unflatten_of_records_in_any_order(seed: int, tmp_path: Path) -> None:
    """Also if two records write to one offset, or have a hole between them."""
    readers.need("makedumpfile")
    rng = Random(seed)
    records = [(rng.randrange(1 << 20), rng.randbytes(rng.choice((1, 16, 4096, 300_000)))) for _ in range(30)]
    source, theirs, ours = tmp_path / "flat", tmp_path / "theirs", tmp_path / "ours"
    source.write_bytes(factory.of_records(records))
    _rearrange(str(source), theirs)
    assert cli.main(["unflatten", str(source), "-o", str(ours)]) == 0
    assert ours.read_bytes() == theirs.read_bytes()


def _rearrange(source: str, out: Path) -> None:
    with open(source, "rb") as stdin:
        subprocess.run(("makedumpfile", "-R", str(out)), stdin=stdin, check=True, capture_output=True, timeout=PATIENCE)


_FILES = DATA / "kdump"
_NOTES = {"x86_64": "amd64.note", "i386": "i386flash.note", "aarch64": "arm64.txt"}
_UTS = {"x86_64": b"x86_64", "i386": b"i686", "aarch64": b"aarch64"}


@pytest.mark.parametrize("way", ["copy", "plain", "in place"])
@pytest.mark.parametrize("name", ["x86_64", "i386", "aarch64"])
def test_a_dump_without_a_note_is_repaired_for_all_readers(name: str, way: str, tmp_path: Path) -> None:
    """Note, utsname and phys_base together: drgn needs no --architecture then, crash and makedumpfile take it."""
    if name == "x86_64":  # a stopped guest is in real mode; this one was not
        path = str(tmp_path / "dump")
        Path(path).write_bytes(gzip.decompress((_FILES / "x86_64-kaslr.kdump.gz").read_bytes()))
    else:
        path = dump(GUESTS[name], tmp_path, _memory(7), "kdump-zlib")["kdump-zlib"]
    before = open_document(path)
    assert before.dump is not None
    ranges = [(item.paddr, item.length) for item in before.dump.memory.ranges]
    hashes = _hashes(path, ranges)
    note = note_or_text(str(SAMPLES / str(_NOTES[name])))
    state = edit_notes.append_note(before.state, note, before.dump.order)
    for field, value in (("sysname", b"Linux"), ("release", b"6.1.0"), ("version", b"#1"), ("machine", _UTS[name])):
        state = edit_headers.set_header(state, field, value)
    state = edit_headers.set_phys_base(state, -719323136 if name == "x86_64" else 0)
    before.edit(become(edit_headers.make_plain(state) if way == "plain" else state))
    if way == "in place":
        out = path
        save_in_place(before, plan_in_place(before))
    else:
        out = str(tmp_path / "out")
        save_copy(before, plan_copy(before), out)
    before.close()
    assert _hashes(out, ranges) == hashes
    after = open_document(out)
    assert after.state.note is not None and after.state.note.desc == note.desc
    assert isinstance(after.dump, KdumpDump) and after.dump.doubts == ()
    assert after.dump.header_fields.phys_base == ((1 << 64) - 719323136 if name == "x86_64" else 0)

    ran = readers.drgn_text(out)
    assert ran.code == 0 and note.desc.decode() in ran.out
    release = note.desc.split(b"\n", 1)[0].decode().removeprefix("OSRELEASE=")
    if way != "plain" or name == "x86_64":  # of another machine's plain file this build of crash says nothing
        assert readers.crash_osrelease(out) == release
    if way == "plain":
        said = readers.makedumpfile_dmesg(out, tmp_path / "dmesg").out
        assert ("VMCOREINFO   :" in said and "Invalid" not in said) or name == "i386"


@pytest.mark.parametrize("name", ["x86_64", "aarch64", "arm"])
def test_find_gives_the_same_as_for_the_elf_dump(name: str, tmp_path: Path) -> None:
    """The candidates and proofs are equal; no candidate has an offset in the file."""
    note = (SAMPLES / "amd64.note").read_bytes().ljust(8192, b"\0")
    memory = bytes(4096) + note + _memory(9, 40) + b"OSRELEASE=6.1.0-x\nPAGESIZE=4096\n".ljust(4096, b"\0")
    written = dump(GUESTS[name], tmp_path, memory, "elf", "kdump-zlib")
    found = {}
    for kind, path in written.items():
        opened = open_document(path)
        assert opened.dump is not None
        found[kind] = [item._replace(offset=None) for item in find(guest_of(opened.dump))]
        held = [item.offset for item in find(guest_of(opened.dump))]
        assert all(offset is None for offset in held) == (kind != "elf")
    assert found["elf"] == found["kdump-zlib"] and len(found["elf"]) >= 1
