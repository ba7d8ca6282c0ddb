"""Test saves in place: the requested state, the same memory, exactly the planned writes, and an exact undo."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.dumps import documents as dumps
from tests.dumps import plain_elf
from tests.dumps.factory import I386, Load, cpus, elf, note, ram
from tests.dumps.records import PT_NOTE
from tests.kit import become
from tests.opened_files import open_document
from tests.properties import HealthCheck, given, settings
from vmci_tui.cli.run import main
from vmci_tui.common.errors import SaveError
from vmci_tui.document import edit_notes
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.layers.file import FileSource
from vmci_tui.saving.last_save import complete_last_save, last_save_state, undo_last_save
from vmci_tui.saving.plan import Plan, plan_copy, plan_in_place
from vmci_tui.saving.save_copy import save_copy
from vmci_tui.saving.save_in_place import save_in_place
from vmci_tui.saving.undo_journal import SUFFIX

_BIG = b"OSRELEASE=6\n" + b"KEY=value\n" * 900


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Document]:
    """Open the file as the app does: locked from the first save until it is closed."""
    document = open_document(str(path))
    try:
        yield document
    finally:
        assert isinstance(document.source, FileSource)
        document.source.close()


def append(path: Path, text: bytes = _BIG) -> Plan:
    with opened(path) as document:
        assert document.dump is not None
        document.edit(Edit.of(edit_notes.append_text, text, document.dump.order))
        plan = plan_in_place(document)
        save_in_place(document, plan)
        return plan


def written_as_planned(plan: Plan, before: bytes, after: bytes) -> None:
    """Each differing byte is in a step, and each step begins and ends with a differing byte."""
    assert len(after) == plan.image.size and plan.bytes_written == sum(step.length for step in plan.steps)
    same = bytearray(before[: len(after)].ljust(len(after), b"\0"))
    covered = 0
    for step in plan.steps:
        end = step.offset + step.length
        assert step.why and step.length and end <= len(after)
        for at in (step.offset, end - 1):
            assert at >= len(before) or before[at] != after[at]
        same[step.offset : end] = after[step.offset : end]
        covered += len(range(max(step.offset, len(before)), end))
    assert bytes(same) == after and covered == max(len(after) - len(before), 0)


def orderly(data: bytes) -> None:
    """Assert the needs of crash and makedumpfile: one PT_NOTE, first, before memory; headers after the ELF header."""
    rows = plain_elf.rows(data)
    if any(row.type == PT_NOTE for row in rows):
        own, *rest = rows
        assert own.type == PT_NOTE and own.align == 0
        assert all(row.type != PT_NOTE for row in rest)
        assert all(row.offset >= own.offset + own.filesz for row in rest if row.filesz)
    assert plain_elf.table(data)[0] == (64 if data[4] == 2 else 52)


def same_memory(old: bytes, new: bytes) -> None:
    assert plain_elf.memory(old) == plain_elf.memory(new)


def asked_for(path: Path, wanted: Document) -> None:
    with opened(path) as again:
        held = [(n.name, n.type, n.desc) for n in again.state.notes]
        assert held == [(n.name, n.type, n.desc) for n in wanted.state.notes]
        if not plain_elf.sections(path.read_bytes()):  # those behind memory that is lifted whole come before it
            assert plan_copy(again).empty and plan_in_place(again).empty


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_any_edits_of_any_dump_are_saved_in_place_and_undone(data: st.DataObject) -> None:
    original = data.draw(dumps.dumps())
    with tempfile.TemporaryDirectory() as folder:
        path, copy = Path(folder, "dump.elf"), Path(folder, "copy.elf")
        path.write_bytes(original)
        stages = [original]
        for _ in range(data.draw(st.integers(1, 4))):
            with opened(path) as document:
                assert document.dump is not None
                document.edit(become(data.draw(dumps.edited(document.state, document.dump.order))))
                save_copy(document, plan_copy(document), str(copy))
                assert path.read_bytes() == stages[-1]
                same_memory(original, copy.read_bytes())
                orderly(copy.read_bytes())
                try:
                    plan = plan_in_place(document)
                except SaveError as error:  # s390x PV: a section across the end of what is lifted cannot be moved
                    assert "a section is in the space that the headers must grow into" in str(error)
                    break
                save_in_place(document, plan)
            after = path.read_bytes()
            asked_for(copy, document)
            asked_for(path, document)
            same_memory(original, after)
            if plan.empty:
                assert after == stages[-1]
            else:
                orderly(after)
                written_as_planned(plan, stages[-1], after)
                stages.append(after)
        while len(stages) > 1:
            assert stages.pop() == path.read_bytes() and last_save_state(str(path))[0] == "finished"
            complete_last_save(str(path))
            undo_last_save(str(path))
            assert path.read_bytes() == stages[-1]
        assert sorted(os.listdir(folder)) == ["copy.elf", "dump.elf"]
        with pytest.raises(SaveError, match="no save to undo"):
            undo_last_save(str(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "dump.elf"
    path.write_bytes(elf((cpus() + note(),), (Load(0x1000, ram(1 << 16), vaddr=0xFFFF888000001000),)))
    return path


def test_lifted_three_times_shrunk_and_undone(path: Path) -> None:
    """Memory is equal by both addresses, also across pieces; the file grows only by the lifted bytes."""
    stages, texts = [path.read_bytes()], (_BIG, _BIG * 2, _BIG * 4, b"OSRELEASE=6\n")
    ways = []
    for text in texts:
        ways.append(append(path, text).strategy)
        stages.append(path.read_bytes())
        for address in range(0x1000, 0x11000, 1000):
            for shift in (0, 0xFFFF888000000000):
                (old,) = plain_elf.read_at(stages[0], address + shift, 16, bool(shift))
                new = plain_elf.read_at(stages[-1], address + shift, 16, bool(shift))
                assert len(new) == 1 and old.startswith(new[0]) and new[0]
    assert ways == ["lift", "lift", "lift", "overwrite"]
    assert len(stages[-1]) - len(stages[0]) < len(_BIG) * 4 + 3 * 4096
    for stage in reversed(stages[:-1]):
        undo_last_save(str(path))
        assert path.read_bytes() == stage


def test_undo_restores_the_time_and_the_mode_is_kept(path: Path) -> None:
    path.chmod(0o640)
    before = path.stat()
    append(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    undo_last_save(str(path))
    assert (path.stat().st_mtime_ns, path.stat().st_mode) == (before.st_mtime_ns, before.st_mode)


@pytest.mark.parametrize(("count", "split"), [(65_500, True), (65_600, False)])  # the splits make the first PN_XNUM
def test_many_headers_over_the_same_bytes(count: int, split: bool, tmp_path: Path) -> None:
    """As paging=true writes them. All that cover the lifted bytes move, or are split, which takes more headers yet."""
    path = tmp_path / "dump.elf"
    size = 5 << 20 if split else 4096
    loads = [Load(0, ram(size), vaddr=1 << 40)] + [Load(0, at=0, vaddr=n << 24) for n in range(2, 40)]
    loads += [Load(1 << 32, ram(4096, 3))]
    loads += [Load(1 << 32, at=39, vaddr=n << 12) for n in range(len(loads), count)]
    before = elf((cpus(),), loads)
    path.write_bytes(before)
    assert append(path).strategy == "lift"
    after = path.read_bytes()
    assert len(plain_elf.rows(after)) == count + 1 + (39 if split else 0)
    same_memory(before, after)
    orderly(after)
    undo_last_save(str(path))
    assert path.read_bytes() == before


def test_small_first_ranges_move_whole(tmp_path: Path) -> None:
    path = tmp_path / "dump.elf"
    loads = [Load(n << 20, ram(100 + n, n + 1), vaddr=(n + 1) << 30) for n in range(9)]
    before = elf((cpus(),), [*loads, Load(1 << 30, ram(20000))])
    path.write_bytes(before)
    append(path)
    rows = plain_elf.rows(path.read_bytes())
    assert len(rows) == 12  # PT_NOTE, nine whole, one in two
    assert [(r.vaddr, r.paddr, r.filesz) for r in rows[1:10]] == [(x.vaddr, x.paddr, len(x.data)) for x in loads]
    same_memory(before, path.read_bytes())


def test_a_cut_file_lacks_the_same_memory_after_a_save(tmp_path: Path) -> None:
    """Lifted bytes after the end must not be taken for the memory that was cut off."""
    path = tmp_path / "dump.elf"
    before = elf((cpus(),), (Load(0x1000, ram(1 << 16), vaddr=0x7000),))[:-20000]
    path.write_bytes(before)
    for times in range(1, 4):
        append(path, _BIG * times)
        same_memory(before, path.read_bytes())
        with opened(path) as document:
            assert document.dump is not None and document.dump.memory.size == (1 << 16) - 20000
    for _ in range(3):
        undo_last_save(str(path))
    assert path.read_bytes() == before


def test_a_32_bit_offset_beyond_4_gib_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "dump.elf"
    data = elf((cpus(),), (Load(0, ram()), Load(1 << 20, ram(64))), bits=32, machine=I386)
    rows = plain_elf.rows(data)
    data = plain_elf.with_rows(data, [*rows[:2], rows[2]._replace(offset=0xFFF00000, filesz=2 << 20, memsz=2 << 20)])
    with path.open("wb") as file:
        file.write(data)
        file.truncate((4 << 30) + (1 << 20))
    before = path.stat()
    with opened(path) as document:
        document.edit(Edit.of(edit_notes.append_text, _BIG, "little"))
        assert not plan_copy(document).empty
        with pytest.raises(SaveError, match="32-bit ELF"):
            plan_in_place(document)
    assert os.listdir(tmp_path) == ["dump.elf"]
    assert (path.stat().st_mtime_ns, path.stat().st_size) == (before.st_mtime_ns, before.st_size)


def test_a_file_open_in_another_vmci_is_refused(path: Path) -> None:
    before = path.read_bytes()
    with opened(path) as first, opened(path) as second:
        for document in (first, second):
            document.edit(Edit.of(edit_notes.append_text, _BIG, "little"))
        assert isinstance(first.source, FileSource) and first.source.lock()
        with pytest.raises(SaveError, match="open in another vmci"):
            save_in_place(second, plan_in_place(second))
        assert path.read_bytes() == before
        save_in_place(first, plan_in_place(first))
        for act in (undo_last_save, complete_last_save):
            with pytest.raises(SaveError, match="open in another vmci"):
                act(str(path))
    with opened(path):
        undo_last_save(str(path))
    assert path.read_bytes() == before


def test_a_file_that_changed_since_it_was_opened_is_refused(path: Path) -> None:
    """Also by bytes of its headers, if the clock is too coarse; also if another file took its name."""
    before, time = path.read_bytes(), path.stat().st_mtime_ns
    for change in ("size", "time", "head", "name"):
        with opened(path) as document:
            document.edit(Edit.of(edit_notes.append_text, _BIG, "little"))
            plan = plan_in_place(document)
            if change == "size":
                path.write_bytes(before + b"!")
            elif change == "time":
                os.utime(path, ns=(time, time + 1))
            elif change == "head":
                path.write_bytes(before.replace(b"PAGESIZE=4096", b"PAGESIZE=4097"))
                os.utime(path, ns=(time, time))
            else:
                (path.parent / "other").write_bytes(before)
                (path.parent / "other").rename(path)
            other = path.read_bytes()
            with pytest.raises(SaveError, match=r"since it was opened|not the file that was opened"):
                save_in_place(document, plan)
        assert path.read_bytes() == other and os.listdir(path.parent) == [path.name]
        path.write_bytes(before)
        os.utime(path, ns=(time, time))


@pytest.mark.parametrize("where", ["head", "lifted", "size", "gone"])
def test_bytes_of_another_program_are_not_undone(path: Path, where: str) -> None:
    append(path)
    data = bytearray(path.read_bytes())
    if where == "gone":
        data = bytearray(b"another file")
    elif where == "size":
        data += b"!"
    else:
        data[100 if where == "head" else -1] ^= 255
    path.write_bytes(data)
    os.utime(path, ns=(1, 1))
    assert last_save_state(str(path))[0] == "changed"
    for act in (undo_last_save, complete_last_save):
        with pytest.raises(SaveError, match=r"changed by another program since|cut off since"):
            act(str(path))
    assert path.read_bytes() == data and Path(f"{path}{SUFFIX}").exists()


def test_a_touched_or_copied_file_is_undone_with_its_journal(path: Path) -> None:
    """Only bytes are compared, not times or inodes."""
    before = path.read_bytes()
    append(path)
    os.utime(path, ns=(1, 1))
    other = path.parent / "elsewhere" / path.name
    other.parent.mkdir()
    for name in (path.name, f"{path.name}{SUFFIX}"):
        (other.parent / name).write_bytes((path.parent / name).read_bytes())
    for one in (path, other):
        assert last_save_state(str(one))[0] == "finished"
        undo_last_save(str(one))
        assert one.read_bytes() == before and os.listdir(one.parent)[0] in (path.name, "elsewhere")


def test_bytes_of_another_program_are_shown_and_overwritten_only_by_force(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = path.read_bytes()
    append(path)
    data = bytearray(path.read_bytes())
    data[100] ^= 255
    data += b"their own tail"
    path.write_bytes(data)
    assert main(["undo", str(path)]) == 4
    assert "--force" in capsys.readouterr().err
    assert main(["undo", str(path), "--force", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert f"- {data[88:104].hex(' ')}" in shown and f"+ {before[88:104].hex(' ')}" in shown
    assert b"their own tail".hex(" ") in shown and path.read_bytes() == data
    assert main(["undo", str(path), "--force", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["size"] == len(before) and len(found["overwrites"]) > 1
    assert path.read_bytes() == before and os.listdir(path.parent) == [path.name]


def test_a_cut_file_is_not_undone_even_by_force(path: Path) -> None:
    append(path)
    path.write_bytes(b"short")
    assert main(["undo", str(path), "--force"]) == 4
    assert path.read_bytes() == b"short"


@pytest.mark.parametrize("options", [("--force", "--finish"), ("--dry-run",)])
def test_contradicting_options_of_undo_are_refused(options: tuple[str, ...], path: Path) -> None:
    append(path)
    assert main(["undo", str(path), *options]) == 2


def test_a_save_after_foreign_writes_can_be_undone(path: Path) -> None:
    append(path, b"OSRELEASE=1\n")
    data = path.read_bytes().replace(b"OSRELEASE=1", b"OSRELEASE=2")
    path.write_bytes(data)
    append(path)
    undo_last_save(str(path))
    assert path.read_bytes() == data
    with pytest.raises(SaveError, match="another program"):
        undo_last_save(str(path))


def test_a_save_that_fails_verification_is_reverted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, real = path.read_bytes(), os.pwrite

    def spoil(fd: int, data: bytes, offset: int) -> int:
        spoiled = offset > 60_000 and os.readlink(f"/proc/self/fd/{fd}") == str(path)
        return real(fd, bytes(len(data)) if spoiled else data, offset)

    monkeypatch.setattr(os, "pwrite", spoil)
    with pytest.raises(SaveError, match="the old file was restored"):
        append(path)
    assert path.read_bytes() == before and os.listdir(path.parent) == [path.name]


def test_an_interrupted_save_restores_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, real, calls = path.read_bytes(), os.fsync, iter(range(99))

    def stop(fd: int) -> None:
        real(fd)
        if next(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        append(path)
    assert path.read_bytes() == before and os.listdir(path.parent) == [path.name]
