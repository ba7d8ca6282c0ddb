"""Test with a real QEMU: fresh cases agree with the prediction, and no process or file is left over."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.dumps import factory
from tests.limits import PATIENCE, time_limit
from tests.paths import ROOT
from tests.real import readers
from tests.real.qemu_cases import Ram, make
from vmci_tui.formats.fw_cfg_entry import RESET, Entry, EntryHistory, Write
from vmci_tui.qemu import QemuError
from vmci_tui.qemu.targets import TARGETS, program_of
from vmci_tui.readers.qemu import warnings
from vmci_tui.readers.qemu.entry_reading import QemuReading, RegionBytes

_SEED = 20261123
_SHARES = {"x86_64": 500, "i386": 250, "aarch64": 450, "arm": 250, "aarch64-be": 300, "arm-be": 250}
_MIB = 1 << 20
_NOTE = factory.note(b"OSRELEASE=6.1.0\nNUMBER(phys_base)=884998144\nNUMBER(PHYS_OFFSET)=0x40000000\n")
_BASE = {name: target.ram_base for name, target in TARGETS.items()}


@pytest.fixture(autouse=True)
def _installed() -> None:
    for program in sorted({target.program for target in TARGETS.values()}):
        readers.need(program)
    if find_spec("qemu.qmp") is None:
        pytest.fail("qemu.qmp is missing: it is among the test requirements")


def history(*writes: Write) -> EntryHistory:
    return EntryHistory("writes", writes)


def full(paddr: int, size: int = 4132) -> Write:
    return Write(0, 16, Entry(0, 1, size, paddr).pack())


def agree(name: str, count: int, seed: int, program: str | None = None) -> Counter[str]:
    """Run one QEMU, by default the installed one, over many fresh cases; return the number of each verdict."""
    from vmci_tui.qemu.ask import rules_of
    from vmci_tui.qemu.machine import QemuMachine, QemuOutput

    target, dice, verdicts = TARGETS[name], random.Random(f"{seed} {name}"), Counter[str]()
    with QemuMachine(target, program_of(target, program), 4 * _MIB, seconds=300) as machine:
        # In the first MiB are the machine's ROMs, or the device tree.
        ram = Ram(target.ram_base, target.ram_base + 0x120000, target.ram_base + 4 * _MIB)
        for number in range(count):
            case = make(dice, ram, name.endswith("-be"))
            machine.write(*case.writes)
            machine.put(case.paddr, case.data)
            seen = machine.dump()
            machine.put(case.paddr, bytes(len(case.data)))
            done = history(*case.writes)
            held = Entry.parse(done.raw)
            pointed = RegionBytes(ram.holds(case, held.paddr, min(held.size, _MIB)))
            reading = QemuReading(done, pointed, machine.guest, rules_of(machine.version))
            wanted = QemuOutput(warnings(reading), reading.appended, reading.phys_base, done.raw)
            assert seen == wanted, f"{name}, seed {seed}, case {number}: {case}"
            verdicts[seen.warnings[0].split(":")[0] if seen.warnings else "appended"] += 1
    return verdicts


@pytest.mark.parametrize("name", TARGETS)
def test_a_slice_of_fresh_cases_agrees(name: str) -> None:
    assert agree(name, 12, _SEED + 1).total() == 12


@pytest.mark.long
def test_two_thousand_fresh_cases_agree() -> None:
    verdicts: Counter[str] = Counter()
    for name, count in _SHARES.items():
        verdicts += agree(name, count, _SEED)
    print(f"\n{verdicts.total()} cases: {verdicts.most_common()}")
    assert verdicts.total() == 2000
    assert 0.3 < verdicts["appended"] / 2000 < 0.7 and len(verdicts) == 7 and min(verdicts.values()) >= 20


@pytest.mark.parametrize("name", TARGETS)
def test_an_answer_has_observation_and_prediction(name: str) -> None:
    from vmci_tui.qemu.ask import ask

    answer = ask(history(full(_BASE[name] + 0x200000)), _NOTE, name)
    assert answer.differences == () and answer.kept and answer.predicted == answer.seen
    assert answer.seen.appended == _NOTE and answer.target == name
    wanted = {"x86_64": 0x884998144, "aarch64": 0x40000000, "aarch64-be": 0x40000000}
    assert answer.seen.phys_base == wanted.get(name, _BASE[name])
    assert (answer.guest.machine, answer.guest.order) == (
        name.removesuffix("-be"), "big" if name.endswith("-be") else "little"
    )  # fmt: skip


def test_a_note_far_up_in_memory_and_one_where_no_ram_can_be() -> None:
    from vmci_tui.qemu.ask import ask

    for paddr in (0x100C66000, 0xD0000001, 200 << 30, 0):
        assert (ask(history(full(paddr)), _NOTE).seen.appended) == _NOTE, hex(paddr)
    for paddr in (0xFFFFF000, 1 << 50, (1 << 64) - 2):
        answer = ask(history(full(paddr)), _NOTE)
        assert not answer.kept and answer.differences == (), hex(paddr)


def test_ram_that_ends_after_the_note_or_in_it() -> None:
    """A region of 1 MiB at 0x1000 crosses the ROMs of `pc`; only a note that reaches into them is not found."""
    from vmci_tui.qemu.answer_report import answer_text
    from vmci_tui.qemu.ask import ask

    whole = ask(history(full(0x1000, 1 << 20)), _NOTE)
    assert whole.kept and whole.seen.appended == _NOTE and whole.differences == ()
    assert not any("no RAM" in line or "RAM for" in line for line in answer_text(whole))
    long = factory.note(b"A=1\n" * 0x3000)
    for paddr, kept in ((0xBF000, 0x1000), (0xFEBFF000, 0)):
        answer = ask(history(full(paddr, 1 << 16)), long)
        assert answer.lost == kept and not answer.kept and answer.differences == (), hex(paddr)
        words = f"the first {kept} bytes" if kept else "no RAM at the entry's address"
        assert any(words in line for line in answer_text(answer))


@pytest.mark.parametrize(
    ("writes", "says"),
    [
        ((), "guest note is not present"),
        ((full(0x1000), Write(8, 8, bytes(8))), "guest note is not present"),
        ((full(0x1000), Write(0, 16, None)), "guest note size is invalid: 0"),
        ((Write(0, 8, bytes(8)), full(0x1000, 11)), "guest note size is invalid: 11"),
    ],
)
def test_writes_of_all_kinds(writes: tuple[Write, ...], says: str) -> None:
    from vmci_tui.qemu.ask import ask

    answer = ask(history(*writes), _NOTE)
    assert answer.seen.warnings == (says,) and answer.differences == ()
    assert answer.seen.entry == (history(*writes).raw or RESET)


# --- the command ---------------------------------------------------------------------------------------------------


class Workspace:
    """Make a folder with an entry and a note, and a mark that identifies all processes started from it."""

    def __init__(self, folder: Path) -> None:
        self.mark = uuid.uuid4().hex
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        (folder / "entry").write_bytes(Entry(0, 1, 4132, 0x1000).pack())
        (folder / "note").write_bytes(_NOTE)
        self.env = {**os.environ, "VMCI_MARK": self.mark, "TMPDIR": str(self.temporary)}

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "vmci_tui", "ask", "entry", "note", *arguments]
        env = self.env | more.pop("env", {})
        return subprocess.Popen(command, cwd=self.folder, env=env, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **more)  # fmt: skip

    def ask(self, *arguments: str, **more: Any) -> tuple[int, str, str]:
        with self.start(*arguments, **more) as process:
            out, error = process.communicate(timeout=PATIENCE)
            return process.returncode, out, error

    def processes(self) -> list[str]:
        """Return the processes started here that still run."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if f"VMCI_MARK={self.mark}".encode() in (entry / "environ").read_bytes():
                        found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return found

    def hanging(self, words: str = "exec sleep 1000") -> str:
        """Write a program that is not QEMU and never ends."""
        path = self.folder / "hanging"
        path.write_text(f"#!/bin/sh\n{words}\n")
        path.chmod(0o755)
        return str(path)

    def settled(self) -> bool:
        """Return whether nothing is left, a moment later."""
        until = time.monotonic() + PATIENCE
        while self.processes() and time.monotonic() < until:
            time.sleep(0.02)
        return not self.processes() and not list(self.temporary.iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path)
    yield made
    assert made.settled(), made.processes()


def test_the_command_prints_both_sides(place: Workspace) -> None:
    code, out, error = place.ask()
    assert (code, error) == (0, "") and "as predicted: QEMU appended" in out
    assert f"appended   {len(_NOTE)} bytes" in out and "phys_base  0x884998144" in out and "VMCO" in out
    code, out, _ = place.ask("--json")
    told = json.loads(out)
    assert code == 0 and told["differences"] == [] and told["predicted"] == told["seen"]
    assert told["seen"]["appended"] == _NOTE.hex() and told["machine"] == "x86_64"


def test_a_difference_is_shown_as_such(place: Workspace) -> None:
    """The rules of a newer version for a big-endian guest differ from an older QEMU."""
    (place.folder / "entry").write_bytes(Entry(0, 1, 4132, 0x40200000).pack())
    version = subprocess.run(["qemu-system-arm", "--version"], capture_output=True, text=True).stdout
    other = "7.2" if int(version.split("version ")[1].split(".")[0]) >= 10 else "10.0"
    code, out, _ = place.ask("--target", "arm-be", "--qemu", other)
    assert code == 1 and "NOT as predicted: QEMU" in out and "! warning" in out and "! appended" in out
    assert json.loads(place.ask("--target", "arm-be", "--qemu", other, "--json")[1])["differences"] == [
        "warnings", "appended"
    ]  # fmt: skip


def test_text_and_dump_are_read_for_their_note(place: Workspace) -> None:
    (place.folder / "note").write_bytes(factory.elf((factory.cpus() + _NOTE,)))
    assert f"appended   {len(_NOTE)} bytes" in place.ask()[1]
    (place.folder / "note").write_bytes(b"OSRELEASE=6.1.0\n")
    assert "appended   40 bytes" in place.ask()[1]
    (place.folder / "note").write_bytes(b"\xff" * 40)
    assert "Invalid guest note header" in place.ask()[1]


def test_a_missing_qemu_is_one_clear_line(place: Workspace) -> None:
    code, out, error = place.ask(env={"PATH": str(place.folder)})
    assert (code, out, error.count("\n")) == (3, "", 1) and "apt install qemu-system-x86" in error
    code, _, error = place.ask("--qemu", "/nowhere/qemu")
    assert code == 3 and "/nowhere/qemu is not a program" in error
    code, _, error = place.ask("--qemu", shutil.which("false") or "")
    assert code == 3 and "QEMU ended without a message" in error
    code, _, error = place.ask("--qemu", place.hanging("echo no such machine >&2; exit 1"))
    assert code == 3 and "QEMU ended: no such machine" in error


def test_a_missing_monitor_client_is_one_clear_line(place: Workspace) -> None:
    hidden = place.folder / "hidden"
    (hidden / "qemu").mkdir(parents=True)
    (hidden / "qemu" / "__init__.py").write_text("")
    paths = os.pathsep.join((str(hidden), os.environ.get("PYTHONPATH", ""), str(ROOT)))
    code, out, error = place.ask(env={"PYTHONPATH": paths})
    assert (code, out) == (3, "") and "vmci-tui[ask]" in error and error.count("\n") == 1


def test_a_qemu_that_hangs_is_ended(place: Workspace) -> None:
    from vmci_tui.qemu.machine import QemuMachine

    place_of_mark, os.environ["VMCI_MARK"] = os.environ.get("VMCI_MARK"), place.mark
    try:
        for words in ("exec sleep 1000", "sleep 1000", "trap '' TERM INT; while :; do sleep 1; done"):
            with time_limit(2), pytest.raises(QemuError, match=r"did not answer within 0.3 seconds"):
                QemuMachine(TARGETS["x86_64"], place.hanging(words), seconds=0.3)
            assert place.settled(), words
    finally:
        os.environ.pop("VMCI_MARK")
        os.environ.update({} if place_of_mark is None else {"VMCI_MARK": place_of_mark})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
@pytest.mark.parametrize("words", ["exec sleep 1000", "sleep 1000"])
def test_signals_while_qemu_hangs(place: Workspace, number: signal.Signals, words: str) -> None:
    program = place.hanging(words)
    with place.start("--qemu", program) as process:
        until = time.monotonic() + PATIENCE
        while not any("sleep" in line for line in place.processes()) and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(number)
        _, error = process.communicate(timeout=PATIENCE)
        assert process.returncode == (-number if number == signal.SIGKILL else 130), error
        assert "Traceback" not in error and "never" not in error
    assert place.settled()


def _interrupted(place: Workspace, runs: int) -> None:
    """Send signals at any moment of a real run."""
    dice = random.Random(_SEED)
    for _ in range(runs):
        with place.start() as process:
            time.sleep(dice.uniform(0.03, 0.25))
            process.send_signal(dice.choice((signal.SIGINT, signal.SIGTERM, signal.SIGKILL)))
            process.communicate(timeout=PATIENCE)
        assert place.settled()


def test_signals_at_any_moment_leave_no_process_or_file(place: Workspace) -> None:
    _interrupted(place, 5)


@pytest.mark.long
def test_a_hundred_signals_leave_no_process_or_file(place: Workspace) -> None:
    _interrupted(place, 100)


def _in_a_row(place: Workspace, runs: int) -> None:
    for _ in range(runs):
        assert place.ask()[0] == 0
        assert not place.processes() and not list(place.temporary.iterdir())
    assert sorted(item.name for item in place.folder.iterdir()) == ["entry", "note", "tmp"]


def test_five_runs_in_a_row_leave_no_process_or_file(place: Workspace) -> None:
    _in_a_row(place, 5)


@pytest.mark.long
def test_two_hundred_runs_in_a_row_leave_no_process_or_file(place: Workspace) -> None:
    _in_a_row(place, 200)


def test_repeated_questions_leave_no_open_descriptor() -> None:
    """Ask many questions from one process, in a thread that is not the main one, as the app does."""
    from concurrent.futures import ThreadPoolExecutor

    from vmci_tui.qemu.ask import ask

    with ThreadPoolExecutor(1) as pool:
        pool.submit(ask, history(full(0x1000)), _NOTE).result()
        before = sorted(os.listdir("/proc/self/fd"))
        for _ in range(5):
            assert not pool.submit(ask, history(full(0x1000)), _NOTE).result().differences
        assert sorted(os.listdir("/proc/self/fd")) == before
