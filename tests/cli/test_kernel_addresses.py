"""Test addresses of the kernel in `vmci hex` and `vmci explain`, over a real kernel and over made symbols."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kernel.cut_guests import unpacked
from tests.kernel.symbols.kallsyms_writer import names_of
from tests.opened_files import open_document
from tests.paths import SAMPLES
from vmci_tui.adoption.kernel_addresses import KernelAddresses, kernel_addresses
from vmci_tui.cli.kernel_address import address_of
from vmci_tui.cli.run import main
from vmci_tui.common.errors import UsageError
from vmci_tui.containers.guest import guest_of
from vmci_tui.kernel.symbols.table import SymbolTable
from vmci_tui.render.kernel.address_report import address_json, address_lines, look_up
from vmci_tui.render.kernel.pointer_report import pointers_in, pointers_json, rows_with_symbols

_START = 0xFFFFFFFF81000000
_NAMES = names_of((b"T_text", b"Tpanic", b"D_end"))
_TABLE = SymbolTable(_NAMES, (_START, _START + 0x100, _START + 0x1000), "absolute", _START)
_SAMPLE = str(SAMPLES / "amd64-cut-note.elf")


def _kernel(table: SymbolTable | None = _TABLE) -> KernelAddresses:
    return KernelAddresses(table, "little", 8, lambda va: va - _START if va >= _START else None)


def test_words_of_memory_that_are_addresses_of_the_kernel_are_named_in_their_rows() -> None:
    word = (_START + 0x123).to_bytes(8, "little")
    data = bytes(4) + word + bytes(8) + word + bytes(7)  # from 0x100c on: 0x1010, and in the next row 0x1020
    found = tuple(pointers_in(data, 0x100C, _kernel()))
    assert [(one.at, one.spot.offset) for one in found] == [(0x1010, 0x23), (0x1020, 0x23)]
    rows = list(rows_with_symbols(("first", "second"), 0x100C, found))
    assert rows == ["first  panic+0x23", "second  panic+0x23"]
    assert pointers_json(found)[0] == {
        "at": 0x1010,
        "address": _START + 0x123,
        "symbol": "panic",
        "offset": 0x23,
        "module": None,
    }
    assert not tuple(pointers_in(data, 0x100C, _kernel(None)))


@pytest.mark.parametrize(
    ("typed", "address"),
    [("panic", 0x100), ("panic+0x10", 0x110), ("panic+16", 0x110), ("0xffffffff81000004", 4), ("ffffffff81000004", 4)],
)
def test_an_address_is_a_number_or_a_symbol(typed: str, address: int) -> None:
    assert address_of(typed, _TABLE) == _START + address


@pytest.mark.parametrize("typed", ["nothing", "panic+", "panic+x", "+1", ""])
def test_what_is_not_an_address_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="no symbol"):
        address_of(typed, _TABLE)
    with pytest.raises(UsageError, match="no table"):
        address_of(typed, None)


def test_an_address_outside_the_kernel_says_what_is_not_known() -> None:
    with open_document(_SAMPLE) as document:
        assert document.dump is not None
        guest = guest_of(document.dump)
        assert "outside the kernel's image" in "\n".join(address_lines(look_up(0x1000, _kernel(), guest)))
        unknown = look_up(0x1000, _kernel(None), guest)
    assert "no table of symbols" in "\n".join(address_lines(unknown)) and address_json(unknown)["paddr"] is None


def test_without_a_table_the_cpus_page_tables_say_where_an_address_is() -> None:
    with open_document(_SAMPLE) as document:
        text = document.state.vmcoreinfo
        assert document.dump is not None and text is not None
        guest = guest_of(document.dump)
        kernel, start = kernel_addresses(text, guest), int(text.get(b"SYMBOL(init_uts_ns)") or b"", 16)
        assert kernel.symbols is None and b"Linux" in kernel.read(guest, start, 64)


def test_memory_at_a_symbol_and_a_key_in_memory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dump = str(unpacked("amd64-61", tmp_path))
    assert main(["hex", dump, "--vaddr", "linux_banner+6", "--len", "16"]) == 0
    out, said = capsys.readouterr()
    assert "version 6.1" in out and ", linux_banner+0x6" in said
    banner = int(said.split()[1], 16) - 6
    assert main(["explain", f"SYMBOL(linux_banner)={banner:x}", dump, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["memory"] == {
        "verdict": "confirmed", "found": f"{banner:x}", "by": "the kernel's table of symbols", "why": "",
    }  # fmt: skip


def test_what_no_table_maps_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hex", _SAMPLE, "--vaddr", "0x10", "--len", "16"]) == 2
    assert "no page table in this dump maps 0x10" in capsys.readouterr().err


def test_an_address_needs_a_dump(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "0xffffffff81000000"]) == 2
    assert "vmci explain 0xffffffff81000000 FILE" in capsys.readouterr().err
