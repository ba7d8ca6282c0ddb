"""Test truncated dumps in every container: the real readers' behaviour, and vmci's report."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.data_files import FAULTS
from tests.dumps.kdump_factory import flattened, kdump
from tests.opened_files import open_document
from tests.paths import SAMPLES
from tests.real import readers
from vmci_tui.cli.run import main
from vmci_tui.containers.kdump.dump import KdumpDump
from vmci_tui.document.document import Document
from vmci_tui.findings import Finding
from vmci_tui.findings.judgement import Judgement
from vmci_tui.formats.kdump_records import INCOMPLETE

_READ = """
import sys, drgn
prog = drgn.Program(drgn.Platform(drgn.Architecture.X86_64))
prog.set_core_dump(sys.argv[1])
failed = 0
for at in sys.argv[2:]:
    try:
        prog.read(int(at), 4096, True)
    except (drgn.FaultError, Exception):
        failed += 1
print(failed)
"""
_CUT = "crash: read error: FILE (flat format): truncated/incomplete"


def kdump_of_sample() -> bytes:
    """Return the cut dump of an x86-64 guest as a kdump file with all names, its notes in the sub-header's blocks."""
    dump = open_document(str(SAMPLES / "amd64-cut-note.elf")).dump
    assert dump is not None
    memory = {}
    for item in dump.memory.ranges:
        assert item.offset is not None
        for at in range(item.paddr, item.end - 4095, 4096):
            memory[at // 4096] = dump.source.read(item.offset + at - item.paddr, 4096)
    uts = {"sysname": b"Linux", "release": b"6.1.0-56-amd64", "version": b"#1", "machine": b"x86_64"}
    return kdump(memory, [note.raw for note in dump.notes], uts=uts)


def _unread(path: Path, pages: list[int]) -> int:
    """Return the number of these pages, given by their paddrs, that the real drgn cannot read."""
    readers.need("drgn")
    ran = readers.run(sys.executable, "-c", _READ, str(path), *map(str, pages))
    assert ran.code == 0, ran.out
    return int(ran.out.splitlines()[-1])


def _pages(document: Document) -> list[int]:
    assert document.dump is not None
    return [at for item in document.dump.memory.ranges for at in range(item.paddr, item.end, 4096)]


def _codes(path: Path) -> dict[str, Finding]:
    return {item.code: item for item in reversed(Judgement.of(open_document(str(path))).found)}


def _says(finding: Finding, reader: str) -> str:
    return next(item.says for item in finding.readers if item.reader == reader)


def test_every_missing_page_is_counted(tmp_path: Path) -> None:
    """A kdump file cut in its descriptors, before and in its pages: drgn reads all pages except the counted ones."""
    whole, path = kdump_of_sample(), tmp_path / "cut.kdump"
    path.write_bytes(whole)
    document = open_document(str(path))
    assert isinstance(document.dump, KdumpDump) and not document.dump.missing
    pages, table = _pages(document), document.dump.header.descriptors
    data = table + 24 * len(pages)
    end = document.dump.pages.end
    assert end == len(whole) and _unread(path, pages) == 0
    document.close()
    for size in (table + 1, table + 24, table + 24 * 60 + 7, data, data + 1, data + (end - data) // 3, end - 1):
        path.write_bytes(whole[:size])
        document = open_document(str(path))
        assert isinstance(document.dump, KdumpDump)
        count = document.dump.pages.count
        assert (count.pages, count.missing, count.all_seen) == (len(pages), _unread(path, pages), True), size
        finding = _codes(path)["C02"]
        assert finding.severity == "error" and f"{count.missing} of {len(pages)} pages" in finding.message
        assert {item.reader for item in finding.readers} == {"crash", "drgn", "libkdumpfile", "makedumpfile"}
        document.close()


def test_a_flattened_file_cut_anywhere_is_an_error(tmp_path: Path) -> None:
    """Cut in a record's header, in its bytes, before the end mark: a session of crash ends, drgn opens no file."""
    raw, path = kdump_of_sample(), tmp_path / "cut.flat"
    whole = flattened(raw, cuts=range(4096, len(raw), 1 << 16))
    for lost in (0, 1, 8, 15, 16, 17, 4000, 1 << 16, (1 << 16) + 20, len(whole) // 2):
        path.write_bytes(whole[: len(whole) - lost])
        readers.need("crash")
        session = readers.run("crash", "--log", str(path)).out
        assert ("truncated/incomplete" in session) == bool(lost), (lost, session)
        told = _codes(path).get("C24")
        if not lost:
            assert told is None
            continue
        assert told is not None and told.severity == "error" and _says(told, "crash") == _CUT
        opens = readers.drgn_text(str(path)).code == 0
        assert opens == (lost <= 8), "the first half of the end mark is enough for libkdumpfile"
        assert Judgement.of(open_document(str(path))).shown["drgn"].accepts is opens
        assert main(["check", "--for", "crash", str(path)]) == 1
        assert main(["check", "--for", "drgn", str(path)]) == int(not opens)


@pytest.mark.parametrize("way", ["unflatten", "repair"])
def test_the_copy_of_a_cut_file_has_an_incomplete_status(way: str, tmp_path: Path) -> None:
    raw, cut, out = kdump_of_sample(), tmp_path / "cut.flat", tmp_path / "out.kdump"
    whole = flattened(raw, cuts=range(4096, len(raw), 1 << 16))
    for lost in (16, len(whole) // 2):
        cut.write_bytes(whole[: len(whole) - lost])
        assert main([way, str(cut), "-o", str(out)]) == 1, "an error is left"
        document = open_document(str(out))
        assert isinstance(document.dump, KdumpDump) and document.container == "kdump"
        assert document.dump.header.header.status & INCOMPLETE
        missing = document.dump.pages.count.missing
        assert missing == _unread(out, _pages(document)) and bool(missing) == (lost > 16)
        told = _codes(out)
        assert "C33" in told and ("C02" in told) == (lost > 16)
        readers.need("crash")
        assert "DUMP_DH_COMPRESSED_INCOMPLETE" in readers.run("crash", "-d", "1", "--osrelease", str(out)).out
        document.close()


def test_parts_of_a_split_dump_are_named_and_joined_by_makedumpfile(tmp_path: Path) -> None:
    """Real parts: the second part of a small dump has no pages, which is not a fault."""
    readers.need("makedumpfile")
    source, out = str(SAMPLES / "amd64-cut-nonote.elf"), tmp_path / "whole.kdump"
    parts = [str(tmp_path / name) for name in ("one", "two")]
    assert readers.run("makedumpfile", "-c", "--split", source, *parts).code == 0
    for part, words in zip(parts, ("it has the pages 0x0 to ", "it has no pages"), strict=True):
        told = _codes(Path(part))
        assert words in told["C32"].message and not {"C02", "C23", "C33"} & set(told)
    assert readers.run("makedumpfile", "--reassemble", *parts, str(out)).code == 0
    document = open_document(str(out))
    assert "C32" not in _codes(out) and _pages(document) == _pages(open_document(source))


@pytest.mark.parametrize("name", ["644-flat-truncated.kdump", "138-page-data-cut.kdump"])
def test_reported_files_are_errors_for_readers_of_memory(name: str) -> None:
    path = FAULTS / name
    for reader in ("crash", "drgn", "libkdumpfile", "makedumpfile"):
        assert main(["check", "--for", reader, str(path)]) == 1
    assert _codes(path)["C02"].severity == "error"


def test_an_elf_dump_cut_off_is_an_error_for_the_same_readers(tmp_path: Path) -> None:
    whole, path = (SAMPLES / "amd64-cut-note.elf").read_bytes(), tmp_path / "cut.elf"
    path.write_bytes(whole)
    pages = _pages(open_document(str(path)))
    assert _unread(path, pages) == 0
    for size in (len(whole) - 1, len(whole) // 2, 9000):
        path.write_bytes(whole[:size])
        assert _unread(path, pages) > 0
        assert {item.reader for item in _codes(path)["C02"].readers} >= {"crash", "drgn", "makedumpfile"}
        assert main(["check", "--for", "drgn", str(path)]) == 1
