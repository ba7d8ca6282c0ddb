"""Test `vmci symbols`: System.map of a dump, names and addresses, exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command_result import CommandResult, Vmci
from tests.kernel.symbols.kallsyms_writer import Kernel, dump_of, symbols, write
from tests.proof.synthetic import Ram
from vmci_tui.cli.commands.kernel import symbols as command
from vmci_tui.cli.run import main
from vmci_tui.kernel.symbols.modules import Module, ModuleSymbol

_KERNEL = Kernel(form="per-cpu")


@pytest.fixture
def vmci(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vmci:
    """Return a function that runs a command in a folder with kernel.elf, two.elf and entry."""
    monkeypatch.chdir(tmp_path)
    ram = Ram()
    write(ram, _KERNEL, [*symbols(_KERNEL), (_KERNEL.base + 0x300001, b"d\x1b[31mred")])
    Path("kernel.elf").write_bytes(dump_of(ram))
    second = Kernel(form="per-cpu", paddr=0x4000000)
    write(ram, second, symbols(second))
    Path("two.elf").write_bytes(dump_of(ram))
    Path("entry").write_bytes(bytes(16))

    def run(*arguments: str) -> CommandResult:
        code = main(arguments)
        return CommandResult(code, *capsys.readouterr())

    return run


def test_all_symbols_are_printed_as_in_system_map(vmci: Vmci) -> None:
    ran = vmci("symbols", "kernel.elf")
    lines = ran.out.splitlines()
    assert (ran.code, ran.err) == (0, "")
    wanted = [f"{at:016x} {text[:1].decode()} {text[1:].decode()}" for at, text in symbols(_KERNEL)]
    assert lines[:-1] == wanted and lines[-1].endswith("d \\x1b[31mred")


def test_names_and_addresses_are_looked_up_in_their_order(vmci: Vmci) -> None:
    place = f"{_KERNEL.base + 66:#x}"
    ran = vmci("symbols", "kernel.elf", place, "do_sys_call2", f"{_KERNEL.base:x}")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"{_KERNEL.base + 66:016x} t do_sys_call1+0x2",
        f"{_KERNEL.base + 128:016x} t do_sys_call2",
        f"{_KERNEL.base:016x} T _text",
    ]
    (row,) = vmci("symbols", "kernel.elf", place, "--json").json["symbols"]
    assert (row["name"], row["offset"], row["address"]) == ("do_sys_call1", 2, _KERNEL.base + 64)


def test_what_has_no_symbol_is_named(vmci: Vmci) -> None:
    ran = vmci("symbols", "kernel.elf", "nix", "0x10", "do_sys_call2")
    assert ran.code == 1 and "nix, 0x10" in ran.err and "do_sys_call2" in ran.out


def test_other_kernels_in_memory_are_named(vmci: Vmci) -> None:
    ran = vmci("symbols", "two.elf", "_stext")
    assert ran.code == 0 and "6.1.0-test" in ran.err and "no CPU was in any of 2 kernels" in ran.err
    assert len(vmci("symbols", "two.elf", "_stext", "--json").json["others"]) == 1


def test_files_without_a_table(vmci: Vmci) -> None:
    Path("bare.elf").write_bytes(dump_of(Ram()))
    for name, code in (("bare.elf", 3), ("entry", 2)):
        ran = vmci("symbols", name)
        assert (ran.code, ran.out) == (code, "") and ran.err


def test_an_address_in_a_module(vmci: Vmci, monkeypatch: pytest.MonkeyPatch) -> None:
    module = Module(b"loop", ((0xFFFFFFFFC0001000, 0x1000),), (ModuleSymbol(0xFFFFFFFFC0001010, b"loop_init"),))
    monkeypatch.setattr(command, "loaded_modules", lambda _kernel: (module,))
    ran = vmci("symbols", "kernel.elf", "0xffffffffc0001012")
    assert ran.out == "ffffffffc0001012 t loop_init+0x2 [loop]\n"
    (row,) = vmci("symbols", "kernel.elf", "0xffffffffc0001012", "--json").json["symbols"]
    assert (row["name"], row["module"], row["paddr"]) == ("loop_init", "loop", None)
