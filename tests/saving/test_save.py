"""Test that the target is at any moment absent, the old file or the new one, and that the source never changes."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dumps.factory import Load, cpus, elf, note, ram
from tests.kit import full_write, saved
from tests.opened_files import open_document
from vmci_tui.cli.run import main
from vmci_tui.common.errors import Cancelled, SaveError
from vmci_tui.common.progress import no_progress
from vmci_tui.document import edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.formats.fw_cfg_entry import Entry, EntryHistory
from vmci_tui.opening.open_file import new_entry
from vmci_tui.saving import save_copy as save
from vmci_tui.saving.plan import plan_copy
from vmci_tui.saving.save_copy import save_copy

_DATA = elf((cpus() + note(),), (Load(0, ram(1 << 16)),), qemu=True)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "dump.elf"
    path.write_bytes(_DATA)
    path.chmod(0o400)
    return path


@pytest.fixture
def document(source: Path) -> Document:
    document = open_document(str(source))
    document.edit(Edit.of(edit_text.set_key, b"PAGESIZE", b"65536"))
    return document


def run(document: Document, target: Path, progress: Callable[[str, int, int], None] = no_progress) -> save.SaveResult:
    return save_copy(document, plan_copy(document), str(target), progress)


@pytest.fixture(params=["absent", "there", "checked while it is written"])
def target(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param == "checked while it is written":
        monkeypatch.setattr(save, "_LARGE", 0)
    folder = tmp_path / "out"
    folder.mkdir()
    if request.param == "there":
        (folder / "new.elf").write_bytes(b"old")
    return folder / "new.elf"


def untouched(source: Path, target: Path, there: bool) -> None:
    assert source.read_bytes() == _DATA
    assert [path.name for path in target.parent.iterdir()] == (["new.elf"] if there else [])
    if there:
        assert target.read_bytes() == b"old"


def test_the_copy_is_the_image_and_the_source_is_unchanged(document: Document, source: Path, target: Path) -> None:
    before = source.stat()
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o400
    done = run(document, target)
    assert target.read_bytes() == saved(document)
    assert (done.size, done.checked) == (target.stat().st_size, 1 << 16)
    assert stat.S_IMODE(target.stat().st_mode) == mode
    assert os.listdir(target.parent) == ["new.elf"]
    after = source.stat()
    assert source.read_bytes() == _DATA
    assert (before.st_mtime_ns, before.st_ino, before.st_mode) == (after.st_mtime_ns, after.st_ino, after.st_mode)


@pytest.mark.parametrize("target", ["absent", "there"], indirect=True)
@pytest.mark.parametrize("what", ["copy", "check"])
@pytest.mark.parametrize("error", [Cancelled("stopped"), KeyboardInterrupt(), ZeroDivisionError()])
def test_a_stop_at_any_progress_leaves_no_file(
    document: Document, source: Path, target: Path, what: str, error: BaseException
) -> None:
    there = target.exists()
    calls: list[str] = []
    run(document, target.parent.parent / "count.elf", lambda kind, *_: calls.append(kind))

    for stop in (number for number, kind in enumerate(calls) if kind == what):
        left = iter(range(stop, -1, -1))

        def progress(_kind: str, _done: int, _total: int) -> None:
            if next(left) == 0:  # noqa: B023
                raise error

        with pytest.raises(type(error)):
            run(document, target, progress)
        untouched(source, target, there)


@pytest.mark.parametrize("call", ["ftruncate", "pwrite", "fsync", "fchmod", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_a_failing_call_leaves_no_file_and_reports_one_line(
    document: Document, source: Path, target: Path, call: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = target.exists()

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(SaveError) as error:
        run(document, target)
    monkeypatch.undo()
    assert "\n" not in str(error.value) and error.value.exit_code == 4
    untouched(source, target, there)


def test_a_disk_that_fills_up_in_the_middle(document: Document, source: Path, target: Path) -> None:
    """Fail half way through memory with a file size limit of the process (EFBIG)."""
    import resource
    import signal

    there = target.exists()
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, old[1]))
        with pytest.raises(SaveError, match="too large"):
            run(document, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    untouched(source, target, there)


def test_a_copy_that_fails_verification_is_not_renamed(
    document: Document, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = target.exists()
    real = os.pwrite

    def spoil(fd: int, data: bytes, offset: int) -> int:
        return real(fd, bytes(len(data)), offset)

    monkeypatch.setattr(os, "pwrite", spoil)
    with pytest.raises(SaveError):
        run(document, target)
    monkeypatch.undo()
    untouched(source, target, there)


def test_saving_over_the_source_is_refused_by_any_name(document: Document, source: Path, tmp_path: Path) -> None:
    link, hard = tmp_path / "link", tmp_path / "hard"
    link.symlink_to(source)
    os.link(source, hard)
    for name in (source, link, hard, tmp_path / "." / ".." / tmp_path.name / "dump.elf"):
        with pytest.raises(SaveError, match="the dump that is open"):
            run(document, name)
    assert source.read_bytes() == _DATA


def test_impossible_targets_are_refused(document: Document, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name in (tmp_path, tmp_path / "fifo", tmp_path / "none" / "x", Path(f"{tmp_path}/nul\0")):
        with pytest.raises(SaveError) as error:
            run(document, name)
        assert "\n" not in str(error.value) and str(error.value).isprintable()


def test_a_link_is_followed_and_stays_a_link(document: Document, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    run(document, tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == saved(document)


def test_a_source_that_changes_during_the_save_is_refused(document: Document, source: Path, target: Path) -> None:
    there = target.exists()
    os.utime(source, ns=(1, 1))
    with pytest.raises(SaveError, match="changed since"):
        run(document, target)
    untouched(source, target, there)


def test_holes_stay_holes(tmp_path: Path) -> None:
    path = tmp_path / "sparse.elf"
    head = bytearray(elf((cpus() + note(),), (Load(0, b""),)))
    size = 64 << 20
    head[64 + 56 + 32 : 64 + 56 + 48] = size.to_bytes(8, "little") * 2
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size)
    document = open_document(str(path))
    document.edit(Edit.of(edit_text.set_text, b"OSRELEASE=6\n" + b"A=1\n" * 3000))
    run(document, tmp_path / "out.elf")
    after = (tmp_path / "out.elf").stat()
    assert after.st_size > size and after.st_blocks * 512 < 1 << 20


def test_missing_space_is_reported_before_anything_is_written(
    document: Document, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = target.exists()

    class Full:
        f_bavail, f_frsize = 1, 512

    monkeypatch.setattr(os, "fstatvfs", lambda _: Full())
    with pytest.raises(SaveError, match="are free there"):
        run(document, target)
    monkeypatch.undo()
    untouched(source, target, there)


def test_an_entry_is_saved_as_16_bytes(target: Path) -> None:
    entry = Entry(0, 1, 4132, 0x1000)
    run(new_entry(EntryHistory("blob", (full_write(entry.pack()),))), target)
    assert target.read_bytes() == entry.pack()


@pytest.mark.parametrize("kind", [6, 0x46494C45, 0x53494749])
@pytest.mark.parametrize("e_type", [0, 4])
@pytest.mark.parametrize("command", [("strip",), ("repair",), ("set", "PAGESIZE=8192")])
def test_a_dump_with_notes_of_a_process_is_saved_and_opened(
    command: tuple[str, ...], e_type: int, kind: int, tmp_path: Path
) -> None:
    """A dump has physical addresses: without its note, or with another ELF type, it is not a process core either."""
    for notes in ((note(b"x" * 8, b"CORE\0", kind) + note(),), (note(b"x" * 8, b"CORE\0", kind),)):
        if command[0] != "repair" and len(notes[0]) < 100:
            continue
        data = bytearray(elf(notes, (Load(0x1000, ram(1 << 13), vaddr=1 << 40),), qemu=True))
        data[16] = e_type
        path, out = tmp_path / "dump.elf", tmp_path / "out.elf"
        path.write_bytes(data)
        assert main([command[0], str(path), *command[1:], "-o", str(out)]) in (0, 1)
        assert open_document(str(out)).dump is not None
