"""What is kept for taking a save back: read whole or not at all, and never believed against the file."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factory import Load, cpus, elf, note, ram
from vmci_tui.cli import main
from vmci_tui.core.in_place import condition
from vmci_tui.core.journal import SUFFIX, Before, Change, Record, decode, encode, encode_mark
from vmci_tui.core.source import BytesSource

_DATA = elf((cpus() + note(),), (Load(0x1000, ram()),))
_RECORD = Record(1, 2, 100, 120, 0o400, 7, (Change(0, b"old", b"new"), Change(100, b"", b"x" * 20)))
_CUT = Record(1, 2, 17, 16, 0o644, 7, (Change(4, b"ab", b"cd"), Change(16, b"!", b"")))


def test_records_come_back_as_they_were_with_and_without_their_mark() -> None:
    first, second = encode(_RECORD) + encode_mark(9, 120), encode(_CUT)
    records, end = decode(first + second)
    assert end == len(first + second)
    assert records == (replace(_RECORD, mtime_after=9), replace(_CUT, start=len(first)))
    assert decode(b"") == ((), 0)


@given(st.integers(0, 1 << 20))
@settings(max_examples=300, deadline=None)
def test_a_torn_or_spoiled_record_is_none_and_those_before_it_stay(at: int) -> None:
    first, second = encode(_RECORD) + encode_mark(9, 120), encode(_CUT)
    whole = first + second
    torn = at % len(second)
    assert decode(first + second[:torn]) == (decode(first)[0], len(first))
    spoiled = bytearray(whole)
    spoiled[len(first) + torn] ^= 1 + at % 255
    assert decode(bytes(spoiled)) == (decode(first)[0], len(first))


def test_a_torn_mark_leaves_the_record_unfinished() -> None:
    record, mark = encode(_RECORD), encode_mark(9, 120)
    for length in range(len(mark)):
        assert decode(record + mark[:length]) == ((_RECORD,), len(record))


_HEAD = "<8sIIQQQQIq"


def forged(**fields: int) -> bytes:
    """A record with right checksums that says what no save of ours does."""
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
    assert condition(str(path))[0] in ("none", "changed")
    assert main(["undo", str(path), *option]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vmci: ") and ("no save to take back" in line or "changed since" in line)
    assert path.read_bytes() == _DATA and journal.exists()
    assert main(["show", str(path)]) == 0


@pytest.mark.parametrize("kind", ["folder", "fifo", "dangling link", "link to itself", "link to a file"])
def test_what_is_no_file_in_the_journals_place(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said in one line, nothing changed; a link is not followed: who can plant one chooses what is written over."""
    path, journal, mine = tmp_path / "dump.elf", tmp_path / f"dump.elf{SUFFIX}", tmp_path / "mine"
    path.write_bytes(_DATA)
    if kind == "folder":
        journal.mkdir()
    elif kind == "fifo":
        os.mkfifo(journal)
    else:
        journal.symlink_to({"dangling link": "none", "link to itself": journal.name, "link to a file": "mine"}[kind])
    mine.write_bytes(b"")
    assert condition(str(path))[0] == "none"
    assert main(["show", str(path)]) == 0
    assert main(["set", str(path), "PAGESIZE=8192", "--in-place"]) in (3, 4)
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert path.read_bytes() == _DATA and mine.read_bytes() == b"" and not (tmp_path / "none").exists()
    assert journal.is_symlink() or journal.exists()


def test_the_file_before_is_read_under_the_old_bytes() -> None:
    now = BytesSource(b"new" + b"." * 97 + b"x" * 20)
    before = Before(now, _RECORD)
    assert (before.size, before.read(0, 200)) == (100, b"old" + b"." * 97)
    assert before.read(1, 3) == b"ld." and before.read(99, 9) == b"." and before.read(100, 1) == b""
    assert [before.overwritten(at, 1) for at in (0, 2, 3, 99, 100)] == [True, True, False, False, True]
    cut = Before(BytesSource(b"0123cd6789abcdef"), _CUT)
    assert cut.read(0, 99) == b"0123ab6789abcdef!"
