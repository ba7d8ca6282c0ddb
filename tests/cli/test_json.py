"""Test that the JSON of each command has exactly the keys and types of docs/json.md."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import json_changes
import json_kernel
import json_types as of
import pytest

from tests.json_shapes import wrong
from tests.kernel.symbols.kallsyms_writer import Kernel, dump_of, symbols, write
from tests.paths import DATA, SAMPLES
from tests.proof.synthetic import Ram
from vmci_tui.cli.run import main
from vmci_tui.readers.verdicts import more_readers

Printed = Callable[..., Any]


@pytest.fixture
def printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Printed:
    """Return a function that runs a command in a folder with samples, and checks its output against a type."""
    for path in SAMPLES.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)

    def ran(shape: Any, *arguments: str) -> Any:
        main([*arguments, "--json"])
        said = json.loads(capsys.readouterr().out)
        assert said.pop("schema") == 1
        assert list(wrong(said, shape)) == []
        return said

    return ran


@pytest.mark.parametrize("name", sorted(os.listdir(SAMPLES)))
def test_show_and_check_of_every_sample(printed: Printed, name: str) -> None:
    if name.endswith((".elf", ".entry", ".write.json", ".kdump", "-win16k", "-win4k", "-winodd")):
        printed(of.Show, "show", name)
        printed(of.Check, "check", name)


def test_show_of_dumps_with_rare_parts(printed: Printed) -> None:
    assert printed(of.Show, "show", "two-halves.write.json")["writes"]
    assert printed(of.Show, "show", "i386-qemu.kdump")["kdump"]
    assert printed(of.Show, "show", "x86_64-windows.elf")["windows"]
    assert printed(of.Show, "show", "crlf.elf", "--blob", "good.entry")["entry"]["origin"] == "blob"


def test_check_of_several_files(printed: Printed) -> None:
    rows = printed(of.CheckSeveral, "check", "crlf.elf", "good.entry", "README.md", "--all-readers")["files"]
    assert [(row["file"], row["exit_code"], row["check"] is None) for row in rows] == [
        ("crlf.elf", 1, False), ("good.entry", 0, False), ("README.md", 3, True),
    ]  # fmt: skip
    alone = printed(of.Check, "check", "crlf.elf", "--all-readers")
    del alone["installed"]
    assert rows[0]["check"] == alone


def test_check_of_one_reader_and_of_a_file_that_cannot_be_opened(printed: Printed) -> None:
    assert list(printed(of.Check, "check", "crlf.elf", "--for", "crash")["readers"]) == ["crash"]
    more = printed(of.Check, "check", "crlf.elf", "--all-readers")["more_readers"]
    assert list(more) == [reader.name for reader in more_readers()]
    Path("cut.elf").write_bytes((SAMPLES / "crlf.elf").read_bytes()[:100])
    assert "findings" not in printed(of.Check, "check", "cut.elf")
    assert printed(of.Check, "check", "cut.elf", "--all-readers")["more_readers"]["gdb"]["accepts"] is False


def test_find(printed: Printed) -> None:
    assert printed(of.Find, "find", "amd64-cut-nonote.elf")["candidates"]
    assert printed(of.Find, "find", "crlf.elf", "--raw-at", "0x1000")["container"] == "raw"


def test_log(printed: Printed) -> None:
    log = printed(json_kernel.Log, "log", "amd64-cut-note.elf")["log"]
    assert [record["sequence"] for record in log] == list(range(353))


def test_cpus(printed: Printed) -> None:
    (cpu,) = printed(json_kernel.Cpus, "cpus", "s390x-cut-note.elf")["cpus"]
    assert cpu["registers"]["cr13"] and cpu["pc"]["address"] == cpu["registers"]["pswa"]


def test_symbols(printed: Printed) -> None:
    ram, kernel = Ram(), Kernel(form="per-cpu")
    write(ram, kernel, symbols(kernel))
    Path("kernel.elf").write_bytes(dump_of(ram))
    (row,) = printed(json_kernel.Symbols, "symbols", "kernel.elf", "do_sys_call1")["symbols"]
    assert row["address"] == kernel.base + 64


def test_commands_that_save(printed: Printed) -> None:
    printed(json_changes.Save, "set", "crlf.elf", "PAGESIZE=8192", "-o", "set.elf")
    printed(
        json_changes.Save, "append", "amd64-cut-nonote.elf", "--note", "amd64.note", "--dry-run", "-o", "appended.elf"
    )
    printed(json_changes.Save, "new", "entry", "-o", "new.entry")
    assert printed(json_changes.Save, "strip", "amd64-cut-note.elf", "-o", "stripped.elf")["worse"]
    printed(json_changes.Save, "set", "crlf.elf", "PAGESIZE=8192", "--in-place")
    changed = Path("crlf.elf")
    changed.write_bytes(changed.read_bytes().replace(b"PAGESIZE=8192", b"PAGESIZE=9999"))
    assert printed(json_changes.Undo, "undo", "crlf.elf", "--force", "--dry-run")["overwrites"]
    assert printed(json_changes.Undo, "undo", "crlf.elf", "--force")["size"]


def test_repair(printed: Printed) -> None:
    assert printed(json_changes.Repair, "repair", "amd64-cut-nonote.elf", "-o", "repaired.elf")["next"]
    asked = printed(json_changes.Repair, "repair", "armhf-nonote.elf-win16k", "-o", "asked.elf")
    assert asked["repair"]["question"] and asked["plan"] is None


def test_convert(printed: Printed) -> None:
    made = printed(json_changes.Convert, "convert", "amd64-cut-nonote.elf", "-o", "converted.elf")
    assert made["written"]["file"] == "converted.elf" and made["witnessed"]


def test_cut(printed: Printed) -> None:
    made = printed(json_changes.Cut, "cut", "amd64-cut-note.elf", "-o", "small.elf")
    assert made["written"]["file"] == "small.elf" and made["cut"]["by"]["proof"] and made["installed"] is None


def test_unflatten(printed: Printed) -> None:
    shutil.copy(DATA / "faults" / "elf-basic-flat.dump", "flat")
    printed(json_changes.Unflatten, "unflatten", "flat", "-o", "plain")


def test_commands_about_bytes_and_keys(printed: Printed) -> None:
    assert printed(of.Diff, "diff", "crlf.elf", "duplicate-keys.elf")["keys"]
    printed(of.HexBytes, "hex", "crlf.elf", "--len", "16")
    printed(of.Explain, "explain", "SYMBOL(_stext)=ffffffff81000000")
    printed(of.Explain, "explain", "PAGESIZE")
    assert printed(of.ExplainSearch, "explain", "--search", "page")["keys"]


def test_craft_and_lessons(printed: Printed, capsys: pytest.CaptureFixture[str]) -> None:
    made = printed(of.Craft, "craft", "--defect", "T02", "-o", "made")
    assert made == json.loads(Path("made", made["files"]["manifest"]).read_text())
    printed(of.Lessons, "lessons")
    assert main(["craft", "--list", "--json"]) == 0
    assert list(wrong(json.loads(capsys.readouterr().out), list[of.DefectRow])) == []


@pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="QEMU is not installed")
def test_ask(printed: Printed) -> None:
    printed(of.Ask, "ask", "good.entry", "amd64.note")
