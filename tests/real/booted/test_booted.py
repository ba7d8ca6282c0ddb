"""Hold what vmci says of booted guests to what they, and QEMU, said of themselves.

`VMCI_GUESTS` names the folder of guests; see boot/README.md.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.real.booted.guest import Guest, guests
from vmci_tui.adoption.note_facts import facts_of_note
from vmci_tui.adoption.text_to_read import text_to_read
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import guest_of
from vmci_tui.document import edit_text
from vmci_tui.document.edit import Edit
from vmci_tui.findings.judgement import Judgement
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.lines.gather import running_kernel
from vmci_tui.kernel.lines.prove_lines import facts_of
from vmci_tui.kernel.types.sections import HEADER_LENGTH, MAGIC
from vmci_tui.opening.open_file import open_document
from vmci_tui.repair.safe_fixes import Prior, repair

pytestmark = [pytest.mark.long, pytest.mark.parametrize("guest", guests(), ids=str)]


_ENOUGH = 10
"""Other lines that must be confirmed before a repair sets one: old kernels without types may have fewer."""
_NOT_IN_THE_NOTE = ("dar", "dsisr")
"""Registers of PowerPC that QEMU leaves 0 in NT_PRSTATUS (target/ppc/arch_dump.c)."""


def _json(command: str, guest: Guest) -> Any:
    """Run a command in a process of its own, which may end with a question, and return its JSON."""
    run = [sys.executable, "-m", "vmci_tui", command, str(guest.dump), "--json"]
    done = subprocess.run(run, capture_output=True)
    assert done.returncode in (0, 1), done.stderr.decode()
    return json.loads(done.stdout)


def test_the_log_is_what_the_guest_printed(guest: Guest) -> None:
    printed = re.sub(rb"(?m)^\[ *\d+\.\d+\] ", b"", guest.said("dmesg")).decode("latin-1").splitlines()
    if not printed:
        pytest.skip("this guest's dmesg printed nothing")
    log = _json("log", guest)["log"]
    lines = [line for record in log for line in record["text"].splitlines() or [""]]
    # What was logged after the guest printed its log follows.
    assert lines[: len(printed)] == printed
    assert not any(record["problem"] for record in log)


def test_registers_are_those_that_qemu_printed(guest: Guest) -> None:
    cpus = _json("cpus", guest)["cpus"]
    assert len(cpus) == len(guest.registers)
    for number, cpu in enumerate(cpus):
        compared = {
            name: (value, guest.register(number, name))
            for name, value in cpu["registers"].items()
            if name not in _NOT_IN_THE_NOTE and guest.register(number, name) is not None
        }
        assert len(compared) >= 12
        assert {name: pair for name, pair in compared.items() if pair[0] != pair[1]} == {}


def test_symbols_are_those_of_proc_kallsyms(guest: Guest) -> None:
    if not guest.symbols:
        pytest.skip("this guest printed no symbols")
    rows = _json("symbols", guest)["symbols"]
    assert {(row["address"], row["type"], row["name"].encode()) for row in rows} == guest.symbols


def test_the_types_in_memory_are_those_of_the_guest(guest: Guest) -> None:
    """Write the section that was read as Linux has it, a header, the types and the names: it is the guest's own."""
    if guest.btf_sum is None:
        pytest.skip("this guest's kernel has no types of itself, or it did not print their sum")
    with open_document(str(guest.dump)) as document:
        assert document.dump is not None
        kernel = running_kernel(guest_of(document.dump), None)
    types = kernel.types if isinstance(kernel, RunningKernel) else None
    assert types is not None
    lengths = (0, len(types.types), len(types.types), len(types.names.texts))
    head = struct.pack(f"{types.prefix}HBBIIIII", MAGIC, 1, 0, HEADER_LENGTH, *lengths)
    assert hashlib.sha256(head + types.types + types.names.texts).hexdigest() == guest.btf_sum


def test_no_line_of_a_true_note_is_contradicted(guest: Guest) -> None:
    proved = _json("prove", guest)
    assert not [line for line in proved["lines"] if line["verdict"] == "contradicted"]
    share = proved["counts"]["confirmed"] / len(proved["lines"])
    types = any("types" in line["by"] for line in proved["lines"])
    data = any(line["key"] == "SYMBOL(init_uts_ns)" and "symbols" in line["by"] for line in proved["lines"])
    assert share >= (0.95 if types and data else 0.6)


def test_each_line_that_is_made_false_is_contradicted(guest: Guest) -> None:
    """Falsify every line in turn, in six ways: those confirmed before are contradicted, and none is confirmed."""
    with open_document(str(guest.dump)) as document:
        assert document.dump is not None
        memory = guest_of(document.dump)
        text = text_to_read(document.state.vmcoreinfo, memory, no_progress).text
        kernel = running_kernel(memory, text)
        assert text is not None and isinstance(kernel, RunningKernel)
        missed, wrong, facts = [], [], facts_of(kernel, text)
        for before in facts.lines(text):
            for value in _false(before.value):
                (after,) = facts.lines(Vmcoreinfo(before.key + b"=" + value + b"\n"))
                wrong += [after] if after.verdict == "confirmed" else []
                if before.verdict == "confirmed" and (after.verdict, after.found) != ("contradicted", before.value):
                    missed.append(after)
        assert not wrong and not missed


def test_a_repair_gives_back_each_line_that_is_made_false(guest: Guest) -> None:
    """Falsify every confirmed line in turn: a repair makes the note what it was, if enough other lines are known."""
    with open_document(str(guest.dump)) as document:
        if document.state.vmcoreinfo is None:
            repair(document)
        text, facts = document.state.vmcoreinfo, facts_of_note(document)
        assert text is not None and facts is not None
        lines = Judgement.of(document, facts=facts).lines
        assert lines is not None
        wrong = []
        for line in lines.lines:
            if line.verdict != "confirmed":
                continue
            value = min(_false(line.value))
            false, steps = document.snapshot(), len(document.labels)
            assert false.edit(Edit.of(edit_text.set_line, line.line, line.key + b"=" + value))
            repair(false, prior=Prior(facts=facts))
            if false.state.vmcoreinfo != text and lines.counts["confirmed"] > _ENOUGH:
                wrong.append((line.key, value, false.labels[steps:]))
        assert not wrong


def _false(value: bytes) -> set[bytes]:
    """Return values that are not this one: a digit changed, added, missing, and numbers beside it."""
    digit = b"%x" % ((int(value[-1:], 16) + 1) % 10) if value[-1:] in b"0123456789abcdef" and value else b"0"
    out = {value[:-1] + digit, value + b"0", value[:-1], b"1" + value}
    if value.lstrip(b"-").isdigit():
        out |= {b"%d" % (int(value) + (1 << 32)), b"%d" % -int(value)}
    return out - {value, b"", b"-"}


_TABLES = "note,proof,cpus,log,symbols,types"


@pytest.mark.parametrize("options", [(), ("--mask",), ("--mask", "--keep", _TABLES)], ids=str)
def test_of_a_cut_is_said_what_is_said_of_the_whole(guest: Guest, options: tuple[str, ...], tmp_path: Path) -> None:
    whole, cut, again = (tmp_path / name for name in ("whole.elf", "cut.elf", "again.elf"))
    _vmci("convert", str(guest.dump), "-o", str(whole))
    for source, out in ((whole, cut), (cut, again)):
        assert _vmci("cut", str(source), "-o", str(out), *options).returncode == 0
    assert cut.read_bytes() == again.read_bytes()
    assert cut.stat().st_size < (8 << 20 if _TABLES in options else 1 << 20)
    of_tables = (("cpus",), ("cpus", "--stack"), ("prove",), ("symbols",))
    for command, *more in (("log",), *(of_tables if _TABLES in options else ())):
        answers = [_vmci(command, str(path), *more) for path in (whole, cut)]
        assert answers[0].stdout == answers[1].stdout and answers[0].returncode == answers[1].returncode, command
    said = [json.loads(_vmci("check", str(path), "--json").stdout)["readers"] for path in (whole, cut)]
    verdicts = [{name: (each["accepts"], each["reads"]) for name, each in readers.items()} for readers in said]
    assert verdicts[0] == verdicts[1]
    whole.unlink()


def _vmci(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "vmci_tui", *words], capture_output=True, check=False)
