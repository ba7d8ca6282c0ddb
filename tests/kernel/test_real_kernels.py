"""Test symbols and stacks of real kernels: pages of booted Debian guests, cut to what is read.

Made by QEMU 7.2 of Debian's 6.1, 6.12 and 7.2 kernels, without the note. The kernel's own note in their memory is
the standard: each of its SYMBOL() lines names a symbol's address.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.opened_files import open_document
from tests.paths import DATA
from vmci_tui.adoption.text_to_read import text_to_read
from vmci_tui.cli.run import main
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.kernel.symbols.read_symbols import read_symbols
from vmci_tui.proof.text_values import symbol

_GUESTS = {"amd64-61": 94_266, "arm64-61": 50_336, "s390x-61": 34_724}
"""The guests, and how many symbols their kernels have."""
_ARRAYS = {b"mem_section"}
"""Lines that say where a variable points, not where it is (VMCOREINFO_SYMBOL_ARRAY)."""
_IDLE = {
    "amd64-61": [
        "0xffffffffb26592eb  native_safe_halt+0xb  kernel, idle", "amd_e400_idle+0x3d", "default_idle_call+0x38",
        "do_idle+0x206", "cpu_startup_entry+0x26", "rest_init+0xca", "start_secondary+0x12a",
    ],
    "arm64-61": [
        "0xffffb51e6eeda26c  cpu_do_idle+0xc  kernel, idle", "default_idle_call+0x50", "do_idle+0x298",
        "cpu_startup_entry+0x40", "rest_init+0xdc",
    ],
    "s390x-61": [
        "0x0000000000a31c36  psw_idle_exit  kernel, idle", "arch_cpu_idle+0x3a", "default_idle_call+0x54",
        "do_idle+0xb8", "cpu_startup_entry+0x40", "rest_init+0xc6",
    ],
}  # fmt: skip


@pytest.fixture(params=sorted(_GUESTS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def dump(name: str, tmp_path: Path) -> Path:
    return _unpacked(name, tmp_path)


def _unpacked(name: str, tmp_path: Path) -> Path:
    path = tmp_path / f"{name}.elf"
    path.write_bytes(lzma.decompress((DATA / "kernels" / f"{name}.elf.xz").read_bytes()))
    return path


@pytest.fixture
def guest(dump: Path) -> Iterator[Guest]:
    with open_document(str(dump)) as document:
        assert document.dump is not None
        yield guest_of(document.dump)


def test_symbols_are_where_the_kernels_own_note_says(name: str, guest: Guest) -> None:
    (kernel,) = read_symbols(guest)
    text = text_to_read(None, guest, no_progress).text
    assert text is not None and len(kernel.table) == _GUESTS[name] and kernel.runs
    told = {
        line.key[7:-1]: symbol(text, line.key[7:-1])
        for line in text.lines
        if line.key is not None and line.key.startswith(b"SYMBOL(") and line.key[7:-1] not in _ARRAYS
    }
    held = {key: value for key, value in told.items() if kernel.table.named(key)}
    assert b"_stext" in held and len(held) >= (8 if name == "amd64-61" else 1)
    assert {key: kernel.table.address(key) for key in held} == held


def test_the_image_is_found_where_the_note_says(name: str, guest: Guest) -> None:
    text = text_to_read(None, guest, no_progress).text
    (kernel,) = read_symbols(guest, text)
    shifts = {"amd64-61": 0xFFFFFFFFAAE00000, "arm64-61": 0xFFFFB51E2E000000, "s390x-61": 0}
    assert kernel.table.shift == shifts[name]
    assert kernel.table.paddr(kernel.table.start) == kernel.table.start - shifts[name]


def test_cpus_and_their_stacks_are_shown_by_symbols(name: str, dump: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cpus", str(dump), "--stack"]) == 0
    shown = capsys.readouterr().out
    assert [words for words in _IDLE[name] if words not in shown] == []


@pytest.mark.parametrize(
    ("name", "form", "least", "words"),
    [
        ("i386-61", "relative", 45_515, ("default_idle+0x13  kernel, idle", "rest_init+0xac")),
        ("riscv64-72", "self-relative", 118_383, ("arch_cpu_idle+0x10  kernel, idle", "default_idle_call+0x28")),
        (
            "amd64-612-panic", "per-cpu", 166_973,
            (
                "stop_this_cpu+0x77  kernel, stopped", "CPU 1 looks like the one that panicked: vpanic is on its stack",
                "panic+0x6c", "sysrq_handle_crash+0x1a", "write_sysrq_trigger+0x59",
            ),
        ),
    ],
)  # fmt: skip
def test_other_forms_and_a_panic(
    name: str, form: str, least: int, words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _unpacked(name, tmp_path)
    assert main(["symbols", str(path), "_stext", "--json"]) == 0
    kernel = json.loads(capsys.readouterr().out)["kernel"]
    assert kernel["form"] == form and kernel["count"] >= least and kernel["shift"] is not None
    assert main(["cpus", str(path), "--stack"]) == 0
    shown = capsys.readouterr().out
    assert [one for one in words if one not in shown] == []
