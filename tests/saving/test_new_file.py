"""Test owner and permissions of a new file, its temporary name, and the remains of a killed writer."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import stat
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.dumps import kdump_factory
from tests.dumps.factory import Load, cpus, elf, note, ram
from tests.opened_files import file_source
from vmci_tui.cli.run import main
from vmci_tui.common.errors import SaveError
from vmci_tui.layers.file import BytesSource
from vmci_tui.saving.new_file import unfinished_copies, write_atomically

_DATA = elf((cpus() + note(),), (Load(0, ram(1 << 16)),), qemu=True)
_NOBODY = 65534
_WRITERS = {
    "strip": ("strip", "@", "-o", "OUT"),
    "set": ("set", "@", "PAGESIZE=8192", "-o", "OUT"),
    "unflatten": ("unflatten", "@", "-o", "OUT"),
}
need_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@contextlib.contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def run(writer: str, folder: Path, mode: int) -> Path:
    """Return the file that a command makes of a source with this mode."""
    source, out = folder / "source", folder / "out"
    plain = kdump_factory.kdump({at: ram(4096, at) for at in range(3)})
    source.write_bytes(kdump_factory.flattened(plain, (4096, 8192)) if writer == "unflatten" else _DATA)
    source.chmod(mode)
    names = {"@": str(source), "OUT": str(out)}
    assert main([names.get(word, word) for word in _WRITERS[writer]]) == 0
    return out


@pytest.mark.parametrize("writer", _WRITERS)
@pytest.mark.parametrize(
    ("mode", "mask", "wanted"),
    [(0o6755, 0o022, 0o755), (0o4755, 0, 0o755), (0o666, 0o077, 0o600), (0o664, 0o027, 0o640), (0o1400, 0, 0o400)],
)
def test_a_new_copy_has_the_sources_mode_without_set_id_bits_and_under_the_umask(
    writer: str, mode: int, mask: int, wanted: int, tmp_path: Path
) -> None:
    with umask(mask):
        assert stat.S_IMODE(run(writer, tmp_path, mode).stat().st_mode) == wanted


@need_root
@pytest.mark.parametrize("writer", _WRITERS)
def test_a_file_that_is_replaced_keeps_its_mode_and_owner(writer: str, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    os.chown(tmp_path / "out", _NOBODY, 12345)
    (tmp_path / "out").chmod(0o6640)
    after = run(writer, tmp_path, 0o777).stat()
    assert (stat.S_IMODE(after.st_mode), after.st_uid, after.st_gid) == (0o640, _NOBODY, 12345)


@need_root
def test_an_owner_that_cannot_be_kept_is_refused() -> None:
    """A file of another user in the saver's own folder."""
    with tempfile.TemporaryDirectory() as folder:  # not below pytest's, which is its user's alone
        source, out = Path(folder, "source"), Path(folder, "out")
        source.write_bytes(b"new")
        out.write_bytes(b"old")
        os.chmod(folder, 0o777)
        opened = file_source(str(source))
        os.seteuid(_NOBODY)
        try:
            with pytest.raises(SaveError, match="another user's or group's"):
                write_atomically(opened, str(out), lambda fd, _: None)
        finally:
            os.seteuid(0)
            opened.close()
        assert out.read_bytes() == b"old" and sorted(os.listdir(folder)) == ["out", "source"]


_ACCESS, _DEFAULT = "system.posix_acl_access", "system.posix_acl_default"


def _list(group: int, mask: int) -> bytes:
    """Return an access list: owner rwx, another user rwx, the group, the mask, no others (linux/posix_acl_xattr.h)."""
    none = 0xFFFFFFFF
    rows = (0x01, 7, none), (0x02, 7, _NOBODY), (0x04, group, none), (0x10, mask, none), (0x20, 0, none)
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *row) for row in rows)


def _access(path: Path) -> tuple[int, bytes]:
    with contextlib.suppress(OSError):
        return stat.S_IMODE(path.stat().st_mode), os.getxattr(path, _ACCESS)
    return stat.S_IMODE(path.stat().st_mode), b""


@pytest.mark.parametrize("folder", [False, True], ids=["no default", "default of the folder"])
@pytest.mark.parametrize("own", [False, True], ids=["no list", "a list of its own"])
def test_an_access_list_is_kept_and_none_is_added(own: bool, folder: bool, tmp_path: Path) -> None:
    """With a list the group bits are its mask; without the list they would allow more."""
    out = tmp_path / "out"
    out.write_bytes(b"old")
    out.chmod(0o640)
    try:
        if own:
            os.setxattr(out, _ACCESS, _list(group=0, mask=6))
        if folder:
            os.setxattr(tmp_path, _DEFAULT, _list(group=7, mask=7))
    except OSError as error:
        assert error.errno == errno.EOPNOTSUPP
        pytest.skip("this file system knows no access lists")
    before = _access(out)
    write_atomically(BytesSource(b""), str(out), lambda fd, _: None)
    assert _access(out) == before and bool(before[1]) == own


def test_a_file_without_a_source_has_the_usual_mode(tmp_path: Path) -> None:
    with umask(0o027):
        assert main(["new", "entry", "-o", str(tmp_path / "blob")]) == 0
        assert main(["craft", "--defect", "C03", "-o", str(tmp_path / "bench")]) == 0
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "blob", *(tmp_path / "bench").iterdir())}
    assert modes == {0o640}


@pytest.mark.parametrize("name", ["\u6f22" * 84, "a" * 255, "\u00e9" * 127, "x\udcff" * 120])
def test_a_name_of_any_length_that_a_file_may_have(name: str, tmp_path: Path) -> None:
    out = tmp_path / name
    seen: list[list[str]] = []
    write_atomically(BytesSource(b""), str(out), lambda fd, _: seen.append(os.listdir(tmp_path)))
    assert out.exists() and max(len(os.fsencode(part)) for part in seen[0]) < 143


def test_an_abandoned_temporary_file_is_reported_and_does_not_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = str(tmp_path / "out")
    child = os.fork()
    if not child:
        write_atomically(BytesSource(b""), out, lambda fd, _: os.kill(os.getpid(), signal.SIGKILL))
    os.waitpid(child, 0)
    (left,) = tmp_path.iterdir()
    (tmp_path / ".out.12.vmci-part.txt").touch()
    monkeypatch.setattr(os, "getpid", lambda: child)
    write_atomically(BytesSource(b""), out, lambda fd, _: _told(out, left))
    _told(out, left)
    assert left.exists()


def _told(out: str, left: Path) -> None:
    assert [name for name, _ in unfinished_copies(out)] == [str(left)]


def test_a_folder_that_cannot_be_listed_reports_no_copies(tmp_path: Path) -> None:
    assert unfinished_copies(str(tmp_path / "none" / "out")) == ()
    (tmp_path / ".out.1.vmci-part").mkdir()
    assert unfinished_copies(str(tmp_path / "out")) == ()


@pytest.mark.parametrize("call", ["fchown", "removexattr", "flock"])
def test_a_failing_call_while_replacing_a_file(call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    out.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    if call == "fchown":
        if os.geteuid():
            pytest.skip("only root gives files away")
        os.chown(out, _NOBODY, _NOBODY)
    monkeypatch.setattr(fcntl if call == "flock" else os, call, fail)
    act: Callable[[], None] = lambda: write_atomically(BytesSource(b""), str(out), lambda fd, _: None)  # noqa: E731
    if call == "flock":
        act()
    else:
        with pytest.raises(SaveError, match="input/output error"):
            act()
        assert out.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out"]
