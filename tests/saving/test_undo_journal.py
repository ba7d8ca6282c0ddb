"""Test the undo journal: a record is read whole or not at all, and never trusted against the file."""

from __future__ import annotations

import os
import random
import re
import shutil
import struct
import tarfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.dumps.factory import Load, cpus, elf, note, ram
from tests.paths import DATA
from tests.properties import given, settings
from vmci_tui.cli.run import main
from vmci_tui.common.errors import SaveError
from vmci_tui.layers.file import BytesSource
from vmci_tui.saving import journal_file
from vmci_tui.saving.last_save import is_cut_short, last_save_state
from vmci_tui.saving.undo_journal import (
    SUFFIX,
    ChangedBytes,
    FileBeforeSave,
    SaveRecord,
    Unreadable,
    decode,
    encode,
    encode_mark,
)

_DATA = elf((cpus() + note(),), (Load(0x1000, ram()),))
_RECORD = SaveRecord(1, 2, 100, 120, 0o400, 7, (ChangedBytes(0, b"old", b"new"), ChangedBytes(100, b"", b"x" * 20)))
_CUT = SaveRecord(1, 2, 17, 16, 0o644, 7, (ChangedBytes(4, b"ab", b"cd"), ChangedBytes(16, b"!", b"")))


def test_records_are_read_back_with_and_without_their_mark() -> None:
    first, second = encode(_RECORD) + encode_mark(9, 120), encode(_CUT)
    records, end = decode(first + second)
    assert end == len(first + second)
    assert records == (replace(_RECORD, mtime_after=9), replace(_CUT, start=len(first)))
    assert decode(b"") == ((), 0)


@given(st.integers(0, 1 << 20))
@settings(max_examples=300, deadline=None)
def test_a_torn_record_is_ignored_and_a_damaged_one_reported(at: int) -> None:
    first, second = encode(_RECORD) + encode_mark(9, 120), encode(_CUT)
    whole = first + second
    torn = at % len(second)
    assert decode(first + second[:torn]) == (decode(first)[0], len(first))
    spoiled = bytearray(whole)
    spoiled[len(first) + torn] ^= 1 + at % 255
    tail = len(second) - torn <= 48
    assert (list(decode(bytes(spoiled))[0]) == list(decode(whole)[0])) if tail else not _readable(bytes(spoiled))


def _readable(data: bytes) -> bool:
    try:
        decode(data)
    except Unreadable:
        return False
    return True


def test_a_torn_mark_leaves_the_record_unfinished() -> None:
    record, mark = encode(_RECORD), encode_mark(9, 120)
    for length in range(len(mark)):
        for torn in (mark[:length], mark[:length].ljust(len(mark), b"\0")):
            assert decode(record + torn) == ((_RECORD,), len(record))


_HEAD = "<8sIIQQQQIq"


def forged(**fields: int) -> bytes:
    """Return a record of version 1 with right checksums and contents that no save makes."""
    said = {"version": 1, "count": 1, "before": len(_DATA), "after": len(_DATA), "offset": 0, "old": 0, "new": 1}
    said |= fields
    head = struct.pack(_HEAD, b"VMCIUNDO", said["version"], said["count"], 1, 2, said["before"], said["after"], 0, 7)
    old, new = _DATA[: min(said["old"], 64)], b"x" * min(said["new"], 64)
    change = struct.pack("<QQQ", said["offset"], said["old"], said["new"]) + sha256(old).digest() + sha256(new).digest()
    body = head + change + old + new
    return body + sha256(body).digest()


_TOP = (1 << 64) - 1
_HOSTILE: dict[str, bytes | Callable[[], bytes]] = {
    "empty": b"",
    "zeros": bytes(4096),
    "text": b"not a journal\n" * 99,
    "only the magic": b"VMCIUNDO",
    "another version": forged(version=2),
    "huge count": forged(count=0xFFFFFFFF),
    "huge old length": forged(old=_TOP),
    "huge new length": forged(new=_TOP),
    "offset at the top": forged(offset=_TOP),
    "offset past the file": forged(offset=1 << 62),
    "sizes at the top": forged(before=_TOP, after=_TOP),
    "size before at the top": forged(before=_TOP, new=0),
    "size after at the top": forged(after=_TOP),
    "old bytes outside": forged(offset=len(_DATA) - 1, old=64, new=0),
    "cut without what was cut": forged(before=len(_DATA) + (1 << 40), new=0),
    "of another file": encode(_RECORD) + encode_mark(9, 120),
    "random": lambda: random.Random(5).randbytes(9000),
    "magic and random": lambda: b"VMCIUNDO\1\0\0\0" + random.Random(6).randbytes(9000),
}


@pytest.mark.parametrize("kind", _HOSTILE)
@pytest.mark.parametrize("option", [(), ("--finish",)])
def test_a_foreign_journal_is_refused_in_one_line(
    kind: str, option: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, journal = tmp_path / "dump.elf", tmp_path / f"dump.elf{SUFFIX}"
    data = _HOSTILE[kind]
    path.write_bytes(_DATA)
    journal.write_bytes(data if isinstance(data, bytes) else data())
    assert not is_cut_short(str(path))
    assert main(["undo", str(path), *option]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    told = "no save to undo", "by another program since", "cannot be read", "cut off since"
    assert line.startswith("vmci: ") and any(words in line for words in told)
    assert path.read_bytes() == _DATA and journal.exists()
    assert main(["show", str(path)]) == 0


@pytest.mark.parametrize("kind", sorted(_HOSTILE.keys() - {"empty", "zeros", "only the magic", "of another file"}))
def test_a_journal_that_cannot_be_read_is_never_cut(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another file, a newer version, a damaged one: a save in place is refused, with a hint."""
    path, journal = tmp_path / "dump.elf", tmp_path / f"dump.elf{SUFFIX}"
    data = _HOSTILE[kind]
    data = data if isinstance(data, bytes) else data()
    path.write_bytes(_DATA)
    journal.write_bytes(data)
    code = main(["set", str(path), "PAGESIZE=8192", "--in-place"])
    said = capsys.readouterr().err
    assert journal.read_bytes()[: len(data)] == data
    if code == 0:  # framed: it stays below the new record, which can be taken back
        assert main(["undo", str(path)]) == 0
    else:
        assert code == 4 and "move it away, or save a copy" in said
    assert journal.read_bytes() == data and path.read_bytes() == _DATA


@pytest.mark.parametrize("kind", ["folder", "fifo", "dangling link", "link to itself", "link to a file"])
def test_a_journal_that_is_not_a_regular_file(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, nothing changed; a link is not followed, since it would choose the file that is overwritten."""
    path, journal, mine = tmp_path / "dump.elf", tmp_path / f"dump.elf{SUFFIX}", tmp_path / "mine"
    path.write_bytes(_DATA)
    if kind == "folder":
        journal.mkdir()
    elif kind == "fifo":
        os.mkfifo(journal)
    else:
        journal.symlink_to({"dangling link": "none", "link to itself": journal.name, "link to a file": "mine"}[kind])
    mine.write_bytes(b"")
    assert not is_cut_short(str(path))
    assert main(["show", str(path)]) == 0
    assert main(["set", str(path), "PAGESIZE=8192", "--in-place"]) in (3, 4)
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert path.read_bytes() == _DATA and mine.read_bytes() == b"" and not (tmp_path / "none").exists()
    assert journal.is_symlink() or journal.exists()


def test_the_file_before_the_save_has_the_old_bytes() -> None:
    now = BytesSource(b"new" + b"." * 97 + b"x" * 20)
    before = FileBeforeSave(now, _RECORD)
    assert (before.size, before.read(0, 200)) == (100, b"old" + b"." * 97)
    assert before.read(1, 3) == b"ld." and before.read(99, 9) == b"." and before.read(100, 1) == b""
    assert [before.overwritten(at, 1) for at in (0, 2, 3, 99, 100)] == [True, True, False, False, True]
    cut = FileBeforeSave(BytesSource(b"0123cd6789abcdef"), _CUT)
    assert cut.read(0, 99) == b"0123ab6789abcdef!"


@given(st.integers(0, 1 << 20), st.integers(0, 1 << 13))
@settings(max_examples=300, deadline=None)
def test_a_record_cut_by_a_power_cut_is_ignored(at: int, more: int) -> None:
    """The file has grown, with zeros after the written bytes."""
    first, second = encode(_RECORD) + encode_mark(9, 120), encode(_CUT)
    head = 60 + 72
    assert decode(first + second[: at % head] + bytes(more)) == (decode(first)[0], len(first))


def test_a_record_with_zeros_is_ignored_if_the_file_is_unchanged(tmp_path: Path) -> None:
    """Its head was written, its bytes were not: the previous save is the last one; a changed file is reported."""
    path, journal = tmp_path / "dump.elf", tmp_path / f"dump.elf{SUFFIX}"
    path.write_bytes(_DATA)
    assert main(["set", str(path), "PAGESIZE=8192", "--in-place"]) == 0
    saved, kept = path.read_bytes(), journal.read_bytes()
    stamp = path.stat().st_mtime_ns
    lost = encode(SaveRecord(1, 2, len(saved), len(saved), 0o644, stamp, (ChangedBytes(0, b"old", b"new"),)))
    journal.write_bytes(kept + lost[:200] + bytes(len(lost) - 200))
    assert last_save_state(str(path))[0] == "finished"
    os.utime(path, ns=(1, 1))
    with pytest.raises(SaveError, match="is damaged"):
        last_save_state(str(path))
    os.utime(path, ns=(stamp, stamp))
    assert main(["undo", str(path)]) == 0
    assert path.read_bytes() == _DATA and not journal.exists()


def test_a_damaged_record_between_others_is_kept_and_not_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, journal = tmp_path / "dump.elf", tmp_path / f"dump.elf{SUFFIX}"
    path.write_bytes(_DATA)
    stages, ends = [_DATA], [0]
    for size in (8192, 16384, 32768):
        assert main(["set", str(path), f"PAGESIZE={size}", "--in-place"]) == 0
        stages.append(path.read_bytes())
        ends.append(journal.stat().st_size)
    whole = journal.read_bytes()
    for at in (ends[1] + 5, ends[1] + 50, ends[1] + 100, ends[1] + 300, ends[2] - 60):  # head, frame, bytes, tail
        spoiled = bytearray(whole)
        spoiled[at] ^= 4
        journal.write_bytes(spoiled)
        path.write_bytes(stages[3])
        assert main(["undo", str(path)]) == 0 and path.read_bytes() == stages[2]
        code = main(["undo", str(path)])
        if at == ends[2] - 60:  # the tail alone: all that is needed is there
            assert code == 0 and path.read_bytes() == stages[1]
        else:
            assert code == 4 and "it is left unchanged" in capsys.readouterr().err
            assert path.read_bytes() == stages[2] and journal.read_bytes() == spoiled[: ends[2]]


_OLD = DATA / "journals-version-1.tar.xz"
"""Saves in place by version 1: each folder has the file before, the file afterwards, and its journal."""


@pytest.mark.parametrize(
    ("name", "saves"),
    [("elf-overwrite", 1), ("elf-lift", 1), ("elf-twice", 2), ("elf-unfinished", 1), ("kdump", 1),
     ("kdump-append", 1), ("kdump-flattened", 1)],
)  # fmt: skip
def test_journals_of_version_1_are_undone_completed_and_extended(name: str, saves: int, tmp_path: Path) -> None:
    with tarfile.open(_OLD) as tar:
        tar.extractall(tmp_path, filter="data")
    folder = tmp_path / name
    path, before = folder / "dump", (folder / "before").read_bytes()
    unfinished = name == "elf-unfinished"
    assert is_cut_short(str(path)) == unfinished
    assert last_save_state(str(path))[0] == ("unfinished" if unfinished else "finished")
    if unfinished:
        again = Path(shutil.copytree(folder, tmp_path / "again")) / "dump"
        assert main(["undo", str(again), "--finish"]) == 0 and last_save_state(str(again))[0] == "finished"
        assert main(["undo", str(again)]) == 0 and again.read_bytes() == before
    else:
        assert main(["set", str(path), "PAGESIZE=16384", "--in-place"]) == 0
        saves += 1
    for _ in range(saves):
        assert main(["undo", str(path)]) == 0
    assert path.read_bytes() == before and sorted(os.listdir(folder)) == ["before", "dump"]


def test_a_damaged_journal_of_version_1_is_never_cut(tmp_path: Path) -> None:
    """Any single bit: an unreadable journal is refused, and keeps its bytes."""
    with tarfile.open(_OLD) as tar:
        tar.extractall(tmp_path, filter="data")
    path, journal = tmp_path / "elf-twice" / "dump", tmp_path / "elf-twice" / f"dump{SUFFIX}"
    whole, data = journal.read_bytes(), path.read_bytes()
    second = decode(whole)[0][1].start
    for at in (0, 9, 12, 40, 61, 70, 150, 200, second - 40, second + 3, second + 13, second + 66, len(whole) - 30):
        spoiled = bytearray(whole)
        spoiled[at] ^= 64
        journal.write_bytes(spoiled)
        code = main(["set", str(path), "PAGESIZE=16384", "--in-place"])
        mark = at == len(whole) - 30  # a torn mark may go: the bytes tell what it told
        assert mark or journal.read_bytes()[: len(spoiled)] == spoiled
        if code == 0:
            assert main(["undo", str(path)]) == 0
        assert path.read_bytes() == data


_SPARSE = 1 << 40
_ROW = struct.pack("<QQQ", 0, 0, 0) + bytes(64)


def _tailed(length: int) -> bytes:
    return struct.pack("<8sQ", b"VMCITAIL", length) + bytes(32)


_COSTLY: dict[str, Callable[[], tuple[bytes, bytes]]] = {
    "nothing but a hole": lambda: (b"", b""),
    "a table in a hole": lambda: (b"VMCIUNDO" + struct.pack("<II", 1, 65536), b""),
    "a huge table": lambda: (b"VMCIUNDO" + struct.pack("<II", 1, 0xFFFFFFFF), b""),
    "a huge table, version 2": lambda: (b"VMCIUNDO" + struct.pack("<II", 2, 0xFFFFFFFF), b""),
    "a tail of all of it": lambda: (b"", _tailed(_SPARSE)),
    "a tail of more": lambda: (b"", _tailed(1 << 63)),
    "heads": lambda: (_first_head(0) * 300_000, b""),
    "small records": lambda: ((_first_head(0) + bytes(32)) * 100_000, b""),
    "many rows": lambda: ((_first_head(900) + _ROW * 900 + bytes(32)) * 400, b""),
}


def _first_head(count: int) -> bytes:
    return struct.pack(_HEAD, b"VMCIUNDO", 1, count, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("kind", _COSTLY)
def test_looking_at_a_hostile_journal_is_fast(kind: str, tmp_path: Path) -> None:
    """A journal of any content and length costs `show` at most a second and a few megabytes."""
    path, journal = tmp_path / "dump.elf", tmp_path / f"dump.elf{SUFFIX}"
    head, tail = _COSTLY[kind]()
    path.write_bytes(_DATA)
    with journal.open("wb") as file:
        file.write(head)
        file.truncate(max(_SPARSE, len(head)))
        file.seek(-len(tail), os.SEEK_END)
        file.write(tail)
    _look_costs_little(path)


def test_looking_at_the_largest_mixed_record_is_fast(tmp_path: Path) -> None:
    """Its bytes are old and new ones in turn, the slowest case to compare."""
    path, journal = tmp_path / "dump.elf", tmp_path / f"dump.elf{SUFFIX}"
    size = 7 << 20
    path.write_bytes(b"\x7fELF" + b"ab" * (size // 2))
    record = SaveRecord(1, 2, size + 4, size + 4, 0o644, 7, (ChangedBytes(4, b"a" * size, b"b" * size),))
    journal.write_bytes(encode(record))
    _look_costs_little(path)
    assert is_cut_short(str(path))


def _look_costs_little(path: Path) -> None:
    tracemalloc.start()
    start = time.process_time()
    is_cut_short(str(path))
    used, (_, most) = time.process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 3 and most < 150 << 20, (used, most)


def test_the_oldest_saves_are_dropped_and_reported_if_the_journal_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, journal = tmp_path / "dump.elf", tmp_path / f"dump.elf{SUFFIX}"
    path.write_bytes(_DATA)
    stages: list[bytes] = []
    for number in range(5):
        stages.append(path.read_bytes())
        assert main(["set", str(path), f"PAGESIZE={4096 << number + 1}", "--in-place"]) == 0
    journal.chmod(0o640)
    stages.append(path.read_bytes())
    limit = journal.stat().st_size + 100
    monkeypatch.setattr(journal_file, "LIMIT", limit)
    assert "no longer" not in capsys.readouterr().err
    assert main(["set", str(path), "PAGESIZE=8192", "--in-place"]) == 0
    told = re.search(r"^vmci: (\d) older saves? can no longer be undone", capsys.readouterr().err, re.MULTILINE)
    assert told
    assert journal.stat().st_size <= limit and journal.stat().st_mode & 0o777 == 0o640
    for stage in reversed(stages[int(told[1]) :]):
        assert main(["undo", str(path)]) == 0 and path.read_bytes() == stage
    assert sorted(os.listdir(tmp_path)) == ["dump.elf"]


def test_a_save_too_large_for_a_journal_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "dump.elf"
    path.write_bytes(_DATA)
    monkeypatch.setattr(journal_file, "LIMIT", 200)
    assert main(["set", str(path), "PAGESIZE=8192", "--in-place"]) == 4
    assert "save a copy with -o OUT" in capsys.readouterr().err
    assert path.read_bytes() == _DATA and os.listdir(tmp_path) == ["dump.elf"]
