"""Test the CPUs of a dump: their registers, and what each was doing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command_result import CommandResult, Vmci
from tests.eu_readelf_notes import core_of, needs_eu_readelf, printed_notes
from tests.kernel.notes import prstatus, qemu_state
from tests.opened_files import open_document
from tests.proof.synthetic import MAP, Ram
from vmci_tui.adoption.located_cpus import LocatedCpus
from vmci_tui.cli.run import main
from vmci_tui.containers.elf.dump import ElfDump
from vmci_tui.containers.guest import guest_of
from vmci_tui.formats.elf_note import Note, build
from vmci_tui.kernel.cpus.activity import Activity, activity
from vmci_tui.kernel.cpus.cpu import Cpu, cpus_of
from vmci_tui.kernel.cpus.survey import survey
from vmci_tui.render.kernel.cpu_report import cpus_text

Sample = Callable[[str], str]
_PC: int = MAP + 0x1234567


@pytest.fixture
def run_vmci(capsys: pytest.CaptureFixture[str]) -> Vmci:
    def run(*arguments: str) -> CommandResult:
        code = main(arguments)
        return CommandResult(code, *capsys.readouterr())

    return run


def _one(machine: str, **values: int) -> Cpu:
    (cpu,) = cpus_of([prstatus(machine, **values)], machine)
    return cpu


def _doing(machine: str, before: bytes, after: bytes = b"", **values: int) -> Activity:
    """Return what a CPU was doing whose code before and after its program counter is this."""
    code = before.rjust(16, b"\x90") + after.ljust(16, b"\x90")
    cpu = _one(machine, **values)
    pc = cpu.role("pc") or 0
    return activity(cpu, lambda at, length: code[16 + at - pc :][:length])


@needs_eu_readelf
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("x86_64-smp16.elf", 16), ("amd64-cut-note.elf", 2), ("i386-note.elf-win16k", 1), ("arm64-cut-note.elf", 1),
        ("aarch64-be-linux.elf", 1), ("armhf-nonote.elf-win16k", 1), ("s390x-cut-note.elf", 1),
        ("ppc64el-nonote.elf-win16k", 1),
    ],
)  # fmt: skip
def test_registers_of_each_cpu_are_those_of_eu_readelf(
    name: str, count: int, sample: Sample, tmp_path: Path, run_vmci: Vmci
) -> None:
    rows = run_vmci("cpus", sample(name), "--json").json["cpus"]
    assert [row["cpu"] for row in rows] == list(range(count))
    with open_document(sample(name)) as document:
        dump = document.dump
        assert isinstance(dump, ElfDump) and dump.machine is not None
        notes = tuple(note for note in dump.notes if note.type == 1 and note.name == b"CORE\0")
        printed = printed_notes(core_of(tmp_path, dump.machine, dump.order, notes))
        for row, values in zip(rows, printed, strict=True):
            held = {key: value for key, value in values.items() if key in row["registers"]}
            assert len(held) >= 17, "all general registers"
            for key, value in held.items():
                assert row["registers"][key] in (value % (1 << 64), value % (1 << 32)), key


def test_control_registers_are_those_of_the_same_cpu() -> None:
    notes = [prstatus("x86_64", rip=number) for number in range(3)]
    states = [qemu_state(cr3=0x1000 * number) for number in range(3)]
    cpus = cpus_of([*notes, *states], "x86_64")
    assert [(cpu.value("rip"), cpu.value("cr3")) for cpu in cpus] == [(0, 0), (1, 0x1000), (2, 0x2000)]
    assert len({one.name for one in cpus[0].registers}) == len(cpus[0].registers)
    cut = cpus_of([*notes, *states[:2]], "x86_64")
    assert [cpu.value("cr3") for cpu in cut] == [None] * 3, "nothing says which CPU has none"


def test_registers_of_the_other_width_name_their_machine() -> None:
    assert cpus_of([prstatus("i386")], "x86_64")[0].machine == "i386"
    assert cpus_of([prstatus("aarch64")], "arm")[0].machine == "aarch64"
    assert cpus_of([prstatus("i386")], None) == () == cpus_of([build(b"CORE\0", 1, b"", "little")], "x86_64")


@pytest.mark.parametrize(
    ("machine", "before", "after", "values", "state"),
    [
        ("x86_64", b"\xfb\xf4", b"\xc3", {"rip": _PC, "rflags": 0x246}, "idle"),
        ("x86_64", b"\x0f\x01\xc9", b"\xc3", {"rip": _PC, "rflags": 0x246}, "idle"),
        ("x86_64", b"\xf4", b"\xeb\xfd", {"rip": _PC, "rflags": 0x46}, "stopped"),
        ("x86_64", b"\xf4", b"\x90", {"rip": _PC, "rflags": 0x46}, "running"),
        ("i386", b"\xfb\xf4", b"\xc3", {"eip": 0xC1000000, "eflags": 0x202}, "idle"),
        ("aarch64", b"\x7f\x20\x03\xd5", b"", {"pc": _PC, "pstate": 0x400000C5}, "idle"),
        ("aarch64", b"", b"\x7f\x20\x03\xd5", {"pc": _PC, "pstate": 0x400000C5}, "idle"),
        ("aarch64", b"\x5f\x20\x03\xd5", b"", {"pc": _PC, "pstate": 0x400003C5}, "stopped"),
        ("aarch64", b"\x5f\x20\x03\xd5", b"", {"pc": _PC, "pstate": 0x400000C5}, "running"),
        ("arm", b"\x03\xf0\x20\xe3", b"", {"pc": 0xC041FCC8, "cpsr": 0x600F0093}, "idle"),
        ("arm", b"\x02\xf0\x20\xe3", b"", {"pc": 0xC041FCC8, "cpsr": 0x600F00D3}, "stopped"),
        ("s390x", b"", b"", {"pswm": 0x0706C00180000000}, "idle"),
        ("s390x", b"", b"", {"pswm": 0x0002000180000000}, "stopped"),
        ("s390x", b"", b"", {"pswm": 0x0704C00180000000}, "running"),
        ("ppc64", b"\x22\x00\x00\x44", b"", {"nip": _PC, "msr": 0x800000000280B033}, "idle"),
        ("riscv64", b"\x73\x00\x50\x10", b"", {"pc": _PC}, "idle"),
    ],
)  # fmt: skip
def test_a_cpu_that_waits_is_known_by_its_flags_and_its_code(
    machine: str, before: bytes, after: bytes, values: dict[str, int], state: str
) -> None:
    found = _doing(machine, before, after, **values)
    assert (found.where, found.state) == ("kernel", state)


@pytest.mark.parametrize(
    ("machine", "values", "where"),
    [
        ("x86_64", {"rip": 0x401000, "cs": 0x33}, "process"),
        ("x86_64", {"rip": 0x7C00}, "firmware"),
        ("i386", {"cs": 0x73}, "process"),
        ("aarch64", {"pstate": 0x80000000}, "process"),
        ("aarch64", {"pc": 0x40080000, "pstate": 0x3C9}, "hypervisor"),
        ("aarch64", {"pc": 0x40080000, "pstate": 0x3C5}, "firmware"),
        ("arm", {"cpsr": 0x60000010}, "process"),
        ("arm", {"cpsr": 0x600000DA}, "hypervisor"),
        ("s390x", {"pswm": 0x0705000180000000}, "process"),
        ("ppc64", {"msr": 0x800000000280F033}, "process"),
        ("riscv64", {"pc": 0x80000000}, None),
    ],
)
def test_where_a_cpu_was(machine: str, values: dict[str, int], where: str | None) -> None:
    assert activity(_one(machine, **values), lambda at, length: None).where == where


@pytest.mark.parametrize(
    ("machine", "values", "state"),
    [
        ("x86_64", {"rip": _PC, "rflags": 0x246}, "idle"),
        ("x86_64", {"rip": _PC, "rflags": 0x46}, "stopped"),
        ("aarch64", {"pc": _PC, "pstate": 0x400000C5}, "idle"),
        ("s390x", {"pswm": 0x0404C00180000000}, "running"),  # stopped from outside: it does not wait by itself
        ("x86_64", {"rip": 0x401000, "cs": 0x33}, "running"),
    ],
)
def test_a_cpu_that_qemu_says_is_halted_waits(machine: str, values: dict[str, int], state: str) -> None:
    assert activity(_one(machine, **values), lambda at, length: None, halted=True).state == state


def test_zeros_are_not_code_of_a_cpu_that_runs() -> None:
    cpu = _one("x86_64", rip=_PC, rflags=0x246)
    assert activity(cpu, lambda at, length: bytes(length)).state is None


def test_a_cpu_in_real_mode_was_not_started() -> None:
    notes = (prstatus("x86_64", rip=0xFFF0, cs=0xF000), qemu_state(cr0=0x60000010))
    found = survey(Ram().guest()._replace(notes=notes))
    assert found.cpus[0].doing.where == "firmware"
    assert "not started" in list(cpus_text(LocatedCpus(found, (), None)))[1]


def _panicked(*codes: tuple[bytes, int]) -> tuple[Note, ...]:
    """Return the notes of CPUs, each after some code in a page of its own, with these flags."""
    ram = Ram()
    ram.kernel(0)
    notes, states = [], []
    for number, (_, flags) in enumerate(codes):
        notes.append(prstatus("x86_64", rip=MAP + 0x1000010 + 0x1000 * number, rflags=flags, cs=0x10))
        states.append(qemu_state(cr0=0x80050033, cr3=0x1400000))
    return (*notes, *states)


_STOPPED, _RUNS, _IDLE = (b"\xf4\xeb\xfd", 0x46), (b"\x90\x90\x90", 0x246), (b"\xf4\xc3\x90", 0x246)


@pytest.mark.parametrize(
    ("codes", "suspect"),
    [
        ((_STOPPED, _RUNS, _STOPPED), 1), ((_STOPPED, _IDLE), 1), ((_RUNS, _IDLE), None), ((_RUNS,), None),
        ((_STOPPED, _STOPPED), None), ((_RUNS, _RUNS, _STOPPED), None),
    ],
)  # fmt: skip
def test_the_cpu_that_panicked_is_the_one_that_is_not_stopped(
    codes: tuple[tuple[bytes, int], ...], suspect: int | None
) -> None:
    ram = Ram()
    ram.kernel(0)
    for number, (code, _) in enumerate(codes):
        ram.put(0x100000F + 0x1000 * number, code)
    found = survey(ram.guest()._replace(notes=_panicked(*codes)))
    assert (found.suspect.number if found.suspect else None) == suspect
    lines = "\n".join(cpus_text(LocatedCpus(found, (), found.suspect)))
    assert ("looks like the one that panicked" in lines) is (suspect is not None)


def test_a_disabled_wait_of_s390x_is_a_panic() -> None:
    notes = [prstatus("s390x", pswm=mask) for mask in (0x0704C00180000000, 0x0002000180000000)]
    found = survey(Ram("big").guest("s390x")._replace(notes=tuple(notes)))
    assert found.suspect is not None and found.suspect.number == 1


def test_the_table_is_narrow_and_all_registers_are_asked_for(sample: Sample, run_vmci: Vmci) -> None:
    short, whole = (run_vmci("cpus", sample("amd64-cut-note.elf"), *more) for more in ((), ("--registers",)))
    assert short.code == whole.code == 0 and len(short.out.splitlines()) == 3
    assert max(map(len, whole.out.splitlines())) <= 80
    assert "cr3 0000000002a16000" in whole.out and "cr3" not in short.out
    with open_document(sample("amd64-cut-note.elf")) as document:
        assert document.dump is not None
        names = {one.name for cpu in cpus_of(guest_of(document.dump).notes, "x86_64") for one in cpu.registers}
    assert names <= set(whole.out.split())


def test_files_without_cpus(sample: Sample, run_vmci: Vmci) -> None:
    none = run_vmci("cpus", sample("zero-note.elf"), "--json")
    assert none.code == 0
    entry = run_vmci("cpus", sample("good.entry"))
    assert entry.code == 2 and "no CPUs" in entry.err
