"""Test saving and undoing with a kill or a failure at each of their system calls.

At any moment a copy's target is absent, the old file or the new one; a file changed in
place is the old one, the new one, or `vmci undo` makes it the old and `--finish` the new.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.dumps.factory import TEXT_64, Load, cpus, elf, note, ram
from tests.faults import points
from vmci_tui.cli.run import main
from vmci_tui.saving.last_save import complete_last_save, last_save_state, undo_last_save
from vmci_tui.saving.undo_journal import SUFFIX, decode

_DUMP, _OUT = "dump.elf", "out.elf"
_BIG, _MORE = TEXT_64 + b"KEY=value\n" * 600, TEXT_64 + b"KEY=value\n" * 1600
_DATA = elf((cpus() + note(),), (Load(0x1000, ram(40_000), vaddr=1 << 40),), qemu=True)
FIRST = [_DATA, _ENTRY := bytes((0, 0, 1)) + bytes(14)]  # the result of undoing all saves
_SLICE = 10
"""Points of each scenario that every run tries; all of them with `-m long`."""


class Scenario(NamedTuple):
    """The files of a folder, and the command run there."""

    name: str
    before: Path
    do: str
    """The rule that judges: save, undo, finish or copy."""
    arguments: tuple[str, ...]
    prefix: tuple[str, ...] = ()

    def command(self, folder: Path) -> list[str]:
        return [*self.prefix, *points.vmci(*(item.replace("@", str(folder)) for item in self.arguments))]


class Files(NamedTuple):
    """The files of a folder, each with its mode."""

    held: dict[str, bytes]
    modes: dict[str, int]


def look(folder: Path) -> Files:
    names = sorted(path.name for path in folder.iterdir())
    return Files(
        {name: (folder / name).read_bytes() for name in names},
        {name: stat.S_IMODE((folder / name).stat().st_mode) for name in names},
    )


def records(files: Files) -> int:
    return len(decode(files.held.get(_DUMP + SUFFIX, b""))[0])


def clone(folder: Path, to: Path) -> Path:
    """Copy the folder with its times, by which a save differs from other changes."""
    shutil.copytree(folder, to)
    return to


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("texts")
    for name, text in (("big", _BIG), ("more", _MORE)):
        (folder / name).write_bytes(text)
    return {"big": str(folder / "big"), "more": str(folder / "more")}


_LACKING_POWER = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
"""Prefix of commands that run as root without the right to ignore modes."""


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory: pytest.TempPathFactory, texts: dict[str, str]) -> dict[str, Scenario]:
    """Make the folders, once."""
    base = tmp_path_factory.mktemp("before")

    def append(which: str) -> tuple[str, ...]:
        return "append", f"@/{_DUMP}", "--text", texts[which], "--in-place"

    def run(folder: Path, *arguments: str) -> None:
        assert main([item.replace("@", str(folder)) for item in arguments]) == 0

    def folder(name: str, data: bytes, mode: int = 0o644) -> Path:
        (base / name).mkdir()
        (base / name / _DUMP).write_bytes(data)
        (base / name / _DUMP).chmod(mode)
        return base / name

    plain = folder("plain", _DATA)
    lifted = clone(plain, base / "lifted")
    run(lifted, *append("big"))
    twice = clone(lifted, base / "twice")
    run(twice, *append("more"))
    target = clone(plain, base / "target")
    (target / _OUT).write_bytes(b"what was there")
    entry = folder("entry", _ENTRY)
    owned = folder("0400", _DATA, 0o400)
    owned_lifted = clone(owned, base / "owned-lifted")
    run(owned_lifted, *append("big"))
    copy = "append", f"@/{_DUMP}", "--text", texts["big"], "-o", f"@/{_OUT}"
    undo = "undo", f"@/{_DUMP}"
    made = [
        Scenario("overwrite", plain, "save", ("set", f"@/{_DUMP}", "PAGESIZE=8192", "--in-place")),
        Scenario("lift", plain, "save", append("big")),
        Scenario("lift again", lifted, "save", append("more")),
        Scenario("an entry of 17 bytes", entry, "save", ("set", f"@/{_DUMP}", "entry.size=4132", "--in-place")),
        Scenario("mode 0400", owned, "save", append("big"), _LACKING_POWER),
        Scenario("undo", lifted, "undo", undo),
        Scenario("undo of two", twice, "undo", undo),
        Scenario("undo, mode 0400", owned_lifted, "undo", undo, _LACKING_POWER),
        Scenario("undo of a half", half(twice, base / "half"), "undo", undo),
        Scenario("undo of nearly all", half(twice, base / "nearly", 1), "undo", undo),
        Scenario("finish of a half", base / "half", "finish", (*undo, "--finish")),
        Scenario("copy", plain, "copy", copy),
        Scenario("copy over a file", target, "copy", copy),
    ]
    return {item.name: item for item in made}


def half(finished: Path, to: Path, head: int = 0) -> Path:
    """Make the state after a kill within a save: the bytes past the old end, some of the header area, and no mark."""
    clone(finished, to)
    journal = to / (_DUMP + SUFFIX)
    whole = decode(journal.read_bytes())[0]
    journal.write_bytes(journal.read_bytes()[:-56])
    with (to / _DUMP).open("r+b") as file:
        for change in whole[-1].changes[head:]:
            if change.old:
                file.seek(change.offset + len(change.new) // 2)
                file.write(change.old[len(change.new) // 2 :])
    assert last_save_state(str(to / _DUMP))[0] == ("unfinished" if not head else "finished")
    return to


NAMES = (
    "overwrite", "lift", "lift again", "an entry of 17 bytes", "mode 0400", "undo", "undo of two", "undo, mode 0400",
    "undo of a half", "undo of nearly all", "finish of a half", "copy", "copy over a file",
)  # fmt: skip


@pytest.fixture(params=NAMES)
def scenario(request: pytest.FixtureRequest, scenarios: dict[str, Scenario]) -> Scenario:
    points.need_strace()
    found = scenarios[request.param]
    if found.prefix and subprocess.run([*found.prefix, "true"], capture_output=True).returncode:
        pytest.skip("setpriv is not installed, or may not drop what lets root write any file")
    return found


class Judge:
    """Judge whether a folder is in an allowed state after a run, by the files before and after the command."""

    def __init__(self, scenario: Scenario, after: Files) -> None:
        self.scenario, self.before, self.after = scenario, look(scenario.before), after

    def __call__(self, folder: Path, ended: points.CommandResult) -> None:
        assert "Traceback" not in ended.said, ended.said
        killed = ended.code == -9
        assert killed or ended.code in (0, 3, 4), ended
        now = look(folder)
        if ended.code == 0:
            assert now.held.keys() == self.after.held.keys() and now.modes == self.after.modes
            assert all(now.held[name] == self.after.held[name] for name in (_DUMP, _OUT) if name in now.held)
        {"save": self.save, "undo": self.undo, "finish": self.finish, "copy": self.copy}[self.scenario.do](
            folder, now, killed
        )
        if not killed and self.scenario.do != "copy":
            assert now.modes[_DUMP] == self.before.modes[_DUMP] or folder.name.startswith("fchmod"), now.modes

    def save(self, folder: Path, now: Files, killed: bool) -> None:
        old, new = self.before.held[_DUMP], self.after.held[_DUMP]
        assert records(now) - records(self.before) in (0, 1)
        if records(now) == records(self.before):
            assert now.held[_DUMP] == old
            assert killed or now == self.before
            return
        assert killed or now.held[_DUMP] in (old, new)
        path = str(folder / _DUMP)
        other = clone(folder, folder.with_name(folder.name + " finished")) / _DUMP
        complete_last_save(str(other))
        assert other.read_bytes() == new
        undo_last_save(str(other))
        undo_last_save(path)
        for back in (folder, other.parent):
            files = look(back)
            assert files.held[_DUMP] == old and files.modes[_DUMP] == self.before.modes[_DUMP]
            assert records(files) == records(self.before)
        self.all_the_way(folder)

    def undo(self, folder: Path, now: Files, killed: bool) -> None:
        if records(now) == records(self.before):
            undo_last_save(str(folder / _DUMP))
            now = look(folder)
        assert now.held[_DUMP] == self.after.held[_DUMP] and now.modes == self.after.modes
        self.all_the_way(folder)

    def finish(self, folder: Path, now: Files, killed: bool) -> None:
        other = clone(folder, folder.with_name(folder.name + " again"))
        complete_last_save(str(other / _DUMP))
        assert look(other).held[_DUMP] == self.after.held[_DUMP]
        self.all_the_way(folder)

    def all_the_way(self, folder: Path) -> None:
        """Undo until no save is left: the first file is back, its journal gone."""
        while records(look(folder)):
            undo_last_save(str(folder / _DUMP))
        assert (folder / _DUMP).read_bytes() in FIRST

    def copy(self, folder: Path, now: Files, killed: bool) -> None:
        assert now.held[_DUMP] == self.before.held[_DUMP]
        assert now.held.get(_OUT) in (self.before.held.get(_OUT), self.after.held[_OUT])
        left = now.held.keys() - {_DUMP, _OUT}
        assert not left or (killed and len(left) == 1 and all(name.endswith(".vmci-part") for name in left))


def judge_of(scenario: Scenario, tmp_path: Path) -> tuple[Judge, list[points.Point]]:
    clean = clone(scenario.before, tmp_path / "clean")
    ended, found = points.enumerate_points(clean, scenario.command(clean), tmp_path / "clean.log")
    assert ended.code == 0, ended.said
    return Judge(scenario, look(clean)), found


class Attempt(NamedTuple):
    """One run with one fault, and its result."""

    scenario: Scenario
    point: points.Point
    fault: str
    folder: Path

    def run(self) -> points.CommandResult:
        """Run with the fault at exactly that call; repeat from the start if it missed."""
        log, command = self.folder.with_name(self.folder.name + ".log"), self.scenario.command(self.folder)
        for _ in range(3):
            clone(self.scenario.before, self.folder)
            try:
                return points.run_with(self.fault, self.point, self.folder, command, log)
            except points.OtherCallHit as error:
                missed = error
                shutil.rmtree(self.folder)
        raise missed


def campaign(scenario: Scenario, tmp_path: Path, most: int | None = None) -> None:
    """Try all faults at all calls, or `most` of them, and print the numbers."""
    clean = clone(scenario.before, tmp_path / "clean")
    ended, found = points.enumerate_points(clean, scenario.command(clean), tmp_path / "clean.log")
    assert ended.code == 0, ended.said
    judge = Judge(scenario, look(clean))
    whole = [Attempt(scenario, point, fault, tmp_path / f"{point.call}-{point.number}-{fault}")
             for point in found for fault in points.FAULTS]  # fmt: skip
    chosen = random.Random(3).sample(whole, min(most or len(whole), len(whole)))
    wrong = []
    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(chosen), 20):
            batch = chosen[start : start + 20]
            # Run all before judging: a fork during an undo would keep its lock on the file.
            for one, how in zip(batch, list(pool.map(Attempt.run, batch)), strict=True):
                try:
                    judge(one.folder, how)
                except Exception as error:
                    wrong.append(f"{one.folder.name}: {type(error).__name__} {str(error)[:600]} at {one.point.line}")
                for path in tmp_path.glob(f"{one.folder.name}*"):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
    print(f"{scenario.name}: {len(chosen)} of {len(whole)} points ({len(found)} calls), {len(wrong)} wrong")
    assert not wrong, "\n".join(wrong)


def test_a_slice_of_all_faults(scenario: Scenario, tmp_path: Path) -> None:
    campaign(scenario, tmp_path, _SLICE)


@pytest.mark.long
def test_every_fault_at_every_call(scenario: Scenario, tmp_path: Path) -> None:
    campaign(scenario, tmp_path)


def in_a_child(folder: Path, scenario: Scenario, spoil: Callable[[], None]) -> points.CommandResult:
    """Run the command in its own process, with some calls replaced."""
    said = os.memfd_create("said")
    child = os.fork()
    if not child:
        try:
            os.dup2(os.dup2(said, 1), 2)
            sys.stdout = sys.stderr = os.fdopen(1, "w", 1, closefd=False)  # not pytest's own capture
            spoil()
            os._exit(main([item.replace("@", str(folder)) for item in scenario.arguments]))
        except BaseException:
            os.write(2, b"Traceback")
            os._exit(99)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with open(said, "rb") as words:
        words.seek(0)
        return points.CommandResult(code, words.read().decode())


def replaced(call: str, taken: Callable[[int], int], after: Callable[[], object]) -> Callable[[], None]:
    """Let the call write `taken` of its bytes, then do something."""
    real = getattr(os, call)

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        written: int = real(fd, data[: taken(len(data))], offset)
        after()
        return written

    def copy_file_range(source: int, fd: int, length: int, at: int, to: int) -> int:
        copied: int = real(source, fd, taken(length), at, to)
        after()
        return copied

    return lambda: setattr(os, call, pwrite if call == "pwrite" else copy_file_range)


def shortened(call: str, number: int, how: str) -> Callable[[], None]:
    """Let the `number`th call write only some of its bytes, and with `torn` kill the process."""
    left = number + 1

    def taken(length: int) -> int:
        nonlocal left
        left -= 1
        if left:
            return length
        return {"one": 1, "half": max(length // 2, 1), "short": max(length - 1, 1), "torn": length // 2}[how]

    def after() -> None:
        if how == "torn" and not left:
            os.kill(os.getpid(), signal.SIGKILL)

    return replaced(call, taken, after)


@pytest.mark.parametrize("name", NAMES)
def test_every_write_cut_short_or_torn(name: str, scenarios: dict[str, Scenario], tmp_path: Path) -> None:
    """Test writes that the kernel cuts short, with and without a kill afterwards; strace cannot do that."""
    scenario = scenarios[name]
    tried = 0
    for call in ("pwrite", "copy_file_range"):
        clean = clone(scenario.before, tmp_path / f"clean-{call}")
        calls = os.open(tmp_path / f"{call}-calls", os.O_CREAT | os.O_RDWR | os.O_APPEND)
        counted = replaced(call, lambda length: length, lambda: os.write(calls, b"."))  # noqa: B023
        assert in_a_child(clean, scenario, counted).code == 0
        judge, total = Judge(scenario, look(clean)), os.fstat(calls).st_size
        os.close(calls)
        for number in range(total):
            for how in ("one", "half", "short", "torn"):
                folder = clone(scenario.before, tmp_path / f"{call}-{number}-{how}")
                ended = in_a_child(folder, scenario, shortened(call, number, how))
                assert ended.code == (-9 if how == "torn" else 0), ended
                judge(folder, ended)
                tried += 1
    print(f"{name}: {tried} short and torn writes")
    assert tried


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 1 MiB."""
    there = tmp_path / "disk"
    there.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(there)], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield there
    finally:
        subprocess.run(["umount", str(there)], check=True)


@pytest.mark.parametrize("name", ["overwrite", "lift", "lift again", "copy", "copy over a file", "undo"])
def test_a_full_disk(name: str, scenarios: dict[str, Scenario], small_disk: Path) -> None:
    """From no free page to enough of them; a file that was being changed is the old one, and nothing is left over."""
    scenario, codes = scenarios[name], set()
    for free in range(32):
        folder = clone(scenario.before, small_disk / "full")
        room = os.statvfs(small_disk)
        (small_disk / "filler").write_bytes(bytes(max(room.f_bavail - free, 0) * room.f_frsize))
        before = look(folder)
        ended = in_a_child(folder, scenario, lambda: None)
        codes.add(ended.code)
        assert ended.code in (0, 4) and len(ended.said.splitlines()) == 1, ended
        if ended.code:
            assert look(folder) == before and ("space" in ended.said or "are free there" in ended.said)
        shutil.rmtree(folder)
        (small_disk / "filler").unlink()
    assert codes == ({0} if name == "undo" else {0, 4})
