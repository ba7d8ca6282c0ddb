"""Test files that are large, claim to be, or change while open: vmci reads a bounded part and reports the rest."""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.dumps import factory
from tests.dumps.records import PN_XNUM
from tests.faults.exercise import look
from tests.limits import PATIENCE, time_limit
from tests.opened_files import open_document
from vmci_tui.common.errors import OpenError, SaveError
from vmci_tui.document import edit_notes
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.findings.judgement import Judgement
from vmci_tui.render import dump_report as report
from vmci_tui.saving.plan import plan_copy
from vmci_tui.saving.save_copy import save_copy

TIB = 1 << 40
_PEAK = """
import sys
from vmci_tui.cli.run import main
assert main(sys.argv[1:]) in (0, 1)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")), file=sys.stderr)
"""
_READ = """
import sys
from vmci_tui.cli.run import main
for command in (["show"], ["check"], ["append", "--text", sys.argv[2], "--dry-run", "-o", "unused"], ["hex"]):
    assert main([command[0], sys.argv[1], *command[1:]]) in (0, 1)
print("READ", dict(line.split(": ") for line in open("/proc/self/io").read().splitlines())["rchar"])
"""


def _sparse(path: Path, memory: int) -> Path:
    """Write a dump whose `memory` bytes of guest memory are a hole in the file."""
    data = factory.elf(loads=[factory.Load(0x100000, b"x" * 4096)], gap=4096)
    offset = len(data) - 4096
    header = struct.pack("<IIQQQQQQ", 1, 7, offset, 0, 0x100000, memory, memory, 0)
    path.write_bytes(data[:120] + header + data[176:])
    os.truncate(path, offset + memory)
    return path


def _bytes_read(dump: Path, text: Path) -> int:
    done = subprocess.run((sys.executable, "-c", _READ, dump, text), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split("READ ")[1])


def test_opening_reads_as_much_of_a_tebibyte_as_of_a_mebibyte(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_bytes(factory.TEXT_64)
    small, large = _sparse(tmp_path / "small", 1 << 20), _sparse(tmp_path / "large", TIB)
    assert abs(_bytes_read(large, text) - _bytes_read(small, text)) < 4096


def test_a_tebibyte_is_opened_shown_checked_and_planned_in_seconds(tmp_path: Path) -> None:
    with time_limit(2):
        document = open_document(str(_sparse(tmp_path / "large", TIB)))
        look(document)
    assert document.layout.memory.size == TIB


def _many_segments(path: Path, count: int) -> str:
    """Write PN_XNUM headers: one empty PT_NOTE, then PT_LOADs of a page each, all after the file's end."""
    head = factory.elf([], [], phnum=PN_XNUM, phoff=128, shoff=64, shentsize=64, shnum=1)[:64]
    section = struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, 0, 0, count, 0, 0)
    note = struct.pack("<IIQQQQQQ", 4, 0, 0, 0, 0, 0, 0, 0)
    loads = b"".join(struct.pack("<IIQQQQQQ", 1, 7, 1 << 33, 0, n << 13, 4096, 4096, 0) for n in range(count - 1))
    path.write_bytes(head + section + note + loads)
    return str(path)


def test_the_most_program_headers_are_read_within_seconds(tmp_path: Path) -> None:
    path = _many_segments(tmp_path / "many", 1 << 20)
    with time_limit(15):
        document = open_document(path)
    assert document.dump is not None
    assert len(document.layout.memory.ranges) == (1 << 20) - 1
    assert [item.code for item in Judgement.of(document).found]


@pytest.mark.parametrize(
    ("command", "most"), [(("show",), 200_000), (("show", "--json"), 200_000), (("check",), 400_000)]
)
def test_a_million_program_headers_take_little_memory(tmp_path: Path, command: tuple[str, ...], most: int) -> None:
    path = _many_segments(tmp_path / "many", 1_000_000)
    os.truncate(path, (1 << 33) + 4096)
    words = [sys.executable, "-c", _PEAK, *command, path]
    ran = subprocess.run(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True, text=True, timeout=PATIENCE
    )
    assert int(ran.stderr) < most


def test_one_program_header_above_the_limit_is_refused(tmp_path: Path) -> None:
    with time_limit(5), pytest.raises(OpenError, match="claims 1048577 program headers; the limit is 1048576"):
        open_document(_many_segments(tmp_path / "many", (1 << 20) + 1))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"phnum": 0xFFFE, "phentsize": 0xFFFF}, "the program headers take"),
        ({"phnum": 0xFFFE}, "is cut off: 65534 program headers"),
        ({"phoff": (1 << 64) - 1}, "is cut off"),
        ({"phoff": 1 << 63}, "is cut off"),
    ],
)
def test_sizes_in_headers_are_bounded(tmp_path: Path, fields: dict[str, Any], words: str) -> None:
    path = tmp_path / "dump"
    path.write_bytes(factory.elf(**fields))
    with time_limit(2), pytest.raises(OpenError, match=words):
        open_document(str(path))


def test_notes_above_the_limit_are_refused(tmp_path: Path) -> None:
    data = bytearray(factory.elf())
    struct.pack_into("<Q", data, 64 + 32, 65 << 20)
    path = tmp_path / "dump"
    path.write_bytes(data)
    os.truncate(path, 1 << 30)
    with time_limit(5), pytest.raises(OpenError, match="the limit is 67108864 in all"):
        open_document(str(path))


def _edited(path: Path) -> Document:
    path.write_bytes(factory.elf([factory.cpus(), factory.note()], [factory.Load(0x1000, factory.ram(1 << 20))]))
    document = open_document(str(path))
    document.edit(Edit.of(edit_notes.append_text, b"OSRELEASE=new\n", "little"))
    return document


@pytest.mark.parametrize("length", [0, 1, 63, 200, 5000, 1 << 19])
def test_a_file_that_shrinks_while_open_is_reported_and_not_saved(tmp_path: Path, length: int) -> None:
    path, out = tmp_path / "dump", tmp_path / "out"
    document = _edited(path)
    plan = plan_copy(document)
    os.truncate(path, length)
    with contextlib.suppress(OpenError):
        look(document)  # the remaining part can still be viewed
    with pytest.raises(OpenError, match=r"was cut to \d+ bytes or less while it was read; open it again"):
        document.read(0, 1 << 22)
    with pytest.raises(SaveError, match="has changed since it was opened; open it again"):
        save_copy(document, plan, str(out))
    assert os.listdir(tmp_path) == ["dump"]


@pytest.mark.parametrize("stage", ["copy", "check"])
def test_a_file_that_shrinks_while_it_is_copied_is_not_saved(tmp_path: Path, stage: str) -> None:
    path, out = tmp_path / "dump", tmp_path / "out"
    document = _edited(path)

    def cut(what: str, _done: int, _total: int) -> None:
        if what == stage:
            os.truncate(path, 10_000)

    with pytest.raises(SaveError, match="has changed since it was opened"):
        save_copy(document, plan_copy(document), str(out), cut)
    assert os.listdir(tmp_path) == ["dump"]


def test_a_file_that_is_written_to_while_open_is_not_saved(tmp_path: Path) -> None:
    path, out = tmp_path / "dump", tmp_path / "out"
    document = _edited(path)
    plan = plan_copy(document)
    with path.open("r+b") as file:
        file.seek(100_000)
        file.write(b"another guest")
    os.utime(path, ns=(0, 1))
    with pytest.raises(SaveError, match="has changed"):
        save_copy(document, plan, str(out))
    assert not out.exists()


def test_the_text_of_a_tebibyte_is_short(tmp_path: Path) -> None:
    document = open_document(str(_sparse(tmp_path / "large", TIB)))
    assert sum(1 for _ in report.show_text(document)) < 30
