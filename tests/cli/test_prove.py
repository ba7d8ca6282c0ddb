"""Test `vmci prove`: the verdict on each line, JSON, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command_result import Vmci
from tests.dumps.factory import Load, elf
from tests.kernel.symbols.kallsyms_writer import Kernel, symbols, write
from tests.proof.synthetic import PAGE, Ram
from vmci_tui.formats.elf_note import build

_KERNEL = Kernel(form="per-cpu")
_TRUE = b"OSRELEASE=6.1.0-test\nPAGESIZE=4096\nSYMBOL(do_sys_call1)=%x\nKERNELOFFSET=0\n" % (_KERNEL.base + 64)


def _write(path: str, text: bytes, table: bool = True) -> None:
    """Write a dump of a kernel with its table, and a note."""
    ram = Ram()
    if table:
        write(ram, _KERNEL, symbols(_KERNEL))
    loads = [Load(number * PAGE, bytes(data)) for number, data in sorted(ram.pages.items())]
    notes = build(b"VMCOREINFO\0", 0, text, "little").raw
    Path(path).write_bytes(elf(notes=[notes], loads=loads))


def test_true_lines_are_confirmed_and_others_are_unknown_with_the_reason(vmci: Vmci) -> None:
    _write("true.elf", _TRUE + b"CRASHTIME=1\n")
    ran = vmci("prove", "true.elf")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "confirmed     OSRELEASE=6.1.0-test, by the kernel's own banner",
        "confirmed     PAGESIZE=4096, by a constant of Linux for this machine",
        "confirmed     SYMBOL(do_sys_call1)=ffffffff81000040, by the kernel's table of symbols",
        "confirmed     KERNELOFFSET=0, by _text, less the address where Linux links it",
        "unknown       CRASHTIME=1: nothing in memory shows it",
        "4 confirmed, 0 contradicted, 1 unknown",
    ]


def test_a_false_line_is_contradicted_with_the_right_value(vmci: Vmci) -> None:
    _write("false.elf", _TRUE.replace(b"ffffffff81000040", b"ffffffff81000041"))
    ran = vmci("prove", "false.elf", "--json")
    assert ran.code == 1
    printed = json.loads(ran.out)
    assert printed["counts"] == {"confirmed": 3, "contradicted": 1, "unknown": 0}
    assert printed["lines"][2] == {
        "line": 3,
        "key": "SYMBOL(do_sys_call1)",
        "value": "ffffffff81000041",
        "verdict": "contradicted",
        "found": "ffffffff81000040",
        "by": "the kernel's table of symbols",
        "why": "",
    }


def test_a_dump_without_a_table_or_a_note_says_what_is_missing(vmci: Vmci) -> None:
    _write("bare.elf", _TRUE, table=False)
    ran = vmci("prove", "bare.elf")
    assert (ran.code, ran.out) == (3, "") and "no whole symbol table" in ran.err
    Path("entry").write_bytes(bytes(16))
    assert vmci("prove", "entry").code == 2
