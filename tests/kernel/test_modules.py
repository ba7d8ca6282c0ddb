"""Test the modules of a kernel, over a list that is made for the test; with VMCI_GUESTS also those of booted guests."""

from __future__ import annotations

import os
import pickle
import pickletools
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kernel.made_types import types_with
from tests.kernel.symbols.kallsyms_writer import names_of
from tests.kernel.test_lines import kernel_with
from tests.opened_files import open_document
from vmci_tui.adoption.kernel_symbols import placed_symbols
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import guest_of
from vmci_tui.kernel.cpus.survey import survey
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.lines.gather import kernel_with_types
from vmci_tui.kernel.lines.made_text import MadeText, made_text
from vmci_tui.kernel.symbols.modules import Module, Modules, ModuleSymbol
from vmci_tui.kernel.symbols.table import SymbolTable
from vmci_tui.kernel.variables.loaded_modules import loaded_modules
from vmci_tui.render.kernel.symbol_report import spot_words

_HEAD, _AT = 0xFFFFFFFF81002000, 0xFFFFFFFFC0001000
_MODULE, _KALLSYMS, _SYMBOLS, _NAMES = (_AT + at for at in (0x100, 0x300, 0x400, 0x600))
_CODE = 0xFFFFFFFFC0400000
_MODULES = {
    "module": (512, {"list": 8, "name": 24, "core_layout.base": 128, "core_layout.size": 136, "kallsyms": 256}),
    "mod_kallsyms": (32, {"symtab": 0, "num_symtab": 8, "strtab": 16}),
}
"""As before 6.4."""


def _elf_symbol(name: int, section: int, address: int) -> bytes:
    return struct.pack("<IBBHQQ", name, 0, 0, section, address, 4)


def _kernel(follows: int = _HEAD) -> RunningKernel:
    """Return a kernel with one module, after which the list goes on at `follows`."""
    made = bytearray(0x1000)

    def put(at: int, data: bytes) -> None:
        made[at - _AT : at - _AT + len(data)] = data

    put(_MODULE + 8, struct.pack("<Q", follows))
    put(_MODULE + 24, b"loop\0")
    put(_MODULE + 128, struct.pack("<QI", _CODE, 0x1000))
    put(_MODULE + 256, struct.pack("<Q", _KALLSYMS))
    put(_KALLSYMS, struct.pack("<QQQ", _SYMBOLS, 4, _NAMES))
    symbols = [(0, 0, 0), (1, 1, _CODE + 0x40), (11, 1, _CODE + 0x10), (14, 1, _CODE + 0x20)]
    put(_SYMBOLS, b"".join(_elf_symbol(*one) for one in symbols))
    put(_NAMES, b"\0loop_open\0$x\0loop_init\0")
    kernel = kernel_with(types=types_with(_MODULES), symbols={b"modules": _HEAD})

    def read(address: int, length: int) -> bytes | None:
        if address == _HEAD:
            return struct.pack("<Q", _MODULE + 8)[:length]
        raw = bytes(made[address - _AT : address - _AT + length]) if address >= _AT else b""
        return raw if len(raw) == length else None

    return replace(kernel, read=read)


def _table(kernel: RunningKernel) -> SymbolTable:
    """Return the symbols of an image, with those of the modules."""
    start = 0xFFFFFFFF81000000
    table = SymbolTable(names_of((b"T_text", b"D_end")), (start, start + 0x1000), "absolute", None)
    table.modules = Modules(loaded_modules(kernel))
    return table


def test_a_module_has_its_name_its_place_and_its_symbols() -> None:
    symbols = (ModuleSymbol(_CODE + 0x20, b"loop_init"), ModuleSymbol(_CODE + 0x40, b"loop_open"))
    assert loaded_modules(_kernel()) == (Module(b"loop", ((_CODE, 0x1000),), symbols),)


@pytest.mark.parametrize(
    ("inside", "words"),
    [(0x20, "loop_init [loop]"), (0x3F, "loop_init+0x1f [loop]"), (0xFFF, "loop_open+0xfbf [loop]"), (4, "[loop]+0x4")],
)
def test_an_address_in_a_module_is_named(inside: int, words: str) -> None:
    table = _table(_kernel())
    spot = table.spot(_CODE + inside)
    assert spot is not None and spot_words(spot) == words and table.has_code(_CODE + inside)


def test_the_symbols_are_few_objects_on_their_way_from_another_process() -> None:
    """Unpickling an object for each of 100,000 symbols would keep the app waiting."""
    code, many = 0xFFFFFFFFC0001000, 10_000
    symbols = tuple(ModuleSymbol(code + at, b"symbol_%d" % at) for at in range(many))
    module = Module(b"large", ((code, many), (code + 0x10000, 0x1000)), symbols)
    sent = pickle.dumps(Modules((module, module._replace(symbols=()))))
    assert sum(1 for _ in pickletools.genops(sent)) < 200
    got = pickle.loads(sent).at(code + 0x10000)
    assert got is not None and got.name == b"large"
    found = pickle.loads(pickle.dumps(Modules((module,)))).at(code)
    assert found is not None and tuple(found.symbols) == tuple(found.symbols[:]) == symbols
    assert found.symbol_at(code + 77) == symbols[77]
    table = _table(_kernel())
    spot = pickle.loads(pickle.dumps(table)).spot(_CODE + 0x3F)
    assert spot == table.spot(_CODE + 0x3F) is not None


def test_an_address_behind_a_module_is_not_in_it() -> None:
    table = _table(_kernel())
    assert table.spot(_CODE + 0x1000) is None and not table.has_code(_CODE - 1)


@pytest.mark.parametrize("follows", [_MODULE + 8, 0, _AT + 0xFF8, 0xFFFFFFFFDEAD0000])
def test_a_list_that_does_not_end_is_followed_as_far_as_it_has_modules(follows: int) -> None:
    assert [module.name for module in loaded_modules(_kernel(follows))] == [b"loop"]


def test_without_types_there_are_no_modules() -> None:
    assert loaded_modules(replace(_kernel(), types=None)) == ()


_LISTS = Path(os.environ["VMCI_GUESTS"]).glob("*/*.kallsyms") if "VMCI_GUESTS" in os.environ else ()
_GUESTS = sorted(path for path in _LISTS if path.stat().st_size)


@pytest.mark.long
@pytest.mark.skipif(not _GUESTS, reason="VMCI_GUESTS names no folder with dumps of booted guests")
@pytest.mark.parametrize("listed", _GUESTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_symbols_are_those_of_the_guests_own_list(listed: Path) -> None:
    """Compare the code of each module that the guest's /proc/kallsyms has with what its dump shows."""
    told = {
        (int(row[0], 16), row[2], row[3].strip(b"[]"))
        for line in listed.read_bytes().splitlines()
        if len(row := line.split()) == 4 and row[3] == b"[qemu_fw_cfg]" and not row[2].startswith((b"$", b".L"))
    }
    with open_document(str(listed.parent / "dumps" / f"{listed.stem}-full.elf")) as document:
        assert document.dump is not None
        guest = guest_of(document.dump)
        kernels, text = placed_symbols(document.state.vmcoreinfo, guest, no_progress)
        kernel = kernel_with_types(guest, kernels[0])
        if text is None and isinstance(made := made_text(kernel), MadeText):
            text = made.text
        read = survey(guest, text, kernel.read).cpus[0].read
        modules = loaded_modules(replace(kernel, read=read))
    found = {(one.address, one.name, module.name) for module in modules for one in module.symbols}
    if kernel.types is None or not kernel.symbols(b"modules"):
        assert not modules
        return
    assert found and found == told
