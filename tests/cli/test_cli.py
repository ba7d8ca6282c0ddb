"""Test what scripts rely on: exit codes, JSON keys, data on stdout, messages on stderr."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command_result import CommandResult, Vmci
from tests.dumps import factory
from tests.paths import SAMPLES
from vmci_tui.cli.run import main
from vmci_tui.formats.fw_cfg_entry import Entry

_GOOD = Entry(0, 1, 4132, 0x1000).pack()
_DUMP = factory.elf((factory.cpus() + factory.note(),), (factory.Load(0x1000, factory.ram()),))


@pytest.fixture
def vmci(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vmci:
    """Return a function that runs a command in a folder with dump.elf, bare.elf, good.entry, note, text."""
    monkeypatch.chdir(tmp_path)
    for name, data in (
        ("dump.elf", _DUMP),
        ("bare.elf", factory.elf(qemu=True)),
        ("good.entry", _GOOD),
        ("note", factory.note()),
        ("text", factory.TEXT_64),
        ("writes.write.json", b'[{"offset": 0, "length": 4, "bytes": "00000100"}]'),
    ):
        Path(name).write_bytes(data)

    def run(*arguments: str) -> CommandResult:
        code = main(arguments)
        return CommandResult(code, *capsys.readouterr())

    return run


def test_show_prints_every_key_of_the_contract(vmci: Vmci) -> None:
    shown = vmci("show", "dump.elf", "--blob", "good.entry", "--json").json
    assert set(shown) == {
        "schema", "file", "size", "container", "machine", "bits", "byte_order", "entry", "notes", "vmcoreinfo",
        "windows", "memory"
    }  # fmt: skip
    assert (shown["file"], shown["size"], shown["container"]) == ("dump.elf", len(_DUMP), "elf")
    assert (shown["machine"], shown["bits"], shown["byte_order"]) == ("x86_64", 64, "little")
    assert shown["entry"] == {
        "host_format": 0, "guest_format": 1, "size": 4132, "paddr": 0x1000, "present": True, "origin": "blob"
    }  # fmt: skip
    for index, note in enumerate(shown["notes"]):
        assert set(note) == {"index", "name", "type", "offset", "length", "desc_offset", "desc_length"}
        assert note["index"] == index
    last = shown["notes"][-1]
    assert _DUMP[last["desc_offset"] :][: last["desc_length"]] == factory.TEXT_64
    assert _DUMP[last["offset"] :][: last["length"]] == factory.note()
    assert set(shown["vmcoreinfo"]) == {"note", "keys"} and shown["vmcoreinfo"]["note"] == 2
    key = shown["vmcoreinfo"]["keys"][2]
    assert set(key) == {"key", "value", "line", "offset", "length"}
    assert (key["key"], key["value"], key["line"]) == ("PAGESIZE", "4096", 3)
    assert _DUMP[key["offset"] :][: key["length"]] == b"PAGESIZE=4096"
    assert shown["memory"] == [{"paddr": 0x1000, "length": 8192, "offset": len(_DUMP) - 8192}]


def test_show_prints_the_tree_with_registers(vmci: Vmci) -> None:
    lines = vmci("show", "--tree", "dump.elf").out.splitlines()
    assert lines[0] == "0x00000000  ELF header"
    assert any(line.split()[1:4] == ["cr3", "0", "the"] for line in lines)
    refused = vmci("show", "--tree", "--json", "dump.elf")
    assert refused.code == 2 and "--tree has no JSON" in refused.err


def test_show_prints_the_writes_as_a_qtest(vmci: Vmci) -> None:
    writes = str(SAMPLES / "two-halves.write.json")
    lines = vmci("show", "--qtest", writes).out.splitlines()
    assert "    write_entry(qts, 0, 8, write_1); /* not present */" in lines
    assert "        0x00, 0x80, 0x9c, 0x01, 0x00, 0x00, 0x00, 0x00," in lines and lines[-1] == "}"
    assert "--qtest needs an entry" in vmci("show", "--qtest", "dump.elf").err
    assert "two outputs" in vmci("show", "--qtest", "--tree", writes).err
    assert "--keys are two outputs" in vmci("show", "--keys", "--tree", "dump.elf").err
    keys = vmci("show", "--keys", "dump.elf").out
    assert "PAGESIZE=" in keys and "PAGESIZE=" not in vmci("show", "dump.elf").out
    assert vmci("show", "--keys", "--json", "dump.elf").out == vmci("show", "--json", "dump.elf").out
    assert "--qtest has no JSON" in vmci("show", "--qtest", "--json", writes).err


def test_show_derives_the_entry_and_has_null_for_missing_parts(vmci: Vmci) -> None:
    derived = vmci("show", "dump.elf", "--json").json["entry"]
    assert derived == {
        "host_format": 0, "guest_format": 1, "size": 4132, "paddr": None, "present": None, "origin": "derived"
    }  # fmt: skip
    bare = vmci("show", "bare.elf", "--json").json
    assert bare["entry"] is None and bare["vmcoreinfo"] is None and bare["machine"] == "x86_64"
    entry = vmci("show", "good.entry", "--json").json
    assert entry["container"] == "entry" and entry["machine"] is entry["bits"] is entry["byte_order"] is None
    writes = vmci("show", "writes.write.json", "--json").json
    assert (writes["entry"]["present"], writes["entry"]["origin"]) == (False, "writes")
    assert writes["writes"][0]["result"] == "not present"


def test_check_prints_further_programs_on_request(vmci: Vmci) -> None:
    names = [line.split()[0] for line in vmci("check", "dump.elf", "--all-readers").out.splitlines()[1:10]]
    assert names[-2:] == ["gdb", "volatility3"]
    assert "volatility3" not in vmci("check", "dump.elf").out


def test_check_exits_1_on_errors_only(vmci: Vmci) -> None:
    good = vmci("check", "dump.elf", "--blob", "good.entry", "--json")
    assert (good.code, [f for f in good.json["findings"] if f["severity"] == "error"], good.err) == (0, [], "")
    bad = vmci("check", "bare.elf", "--json")
    assert bad.code == 1
    finding = bad.json["findings"][0]
    assert set(finding) == {"code", "severity", "message", "why", "span", "fix", "readers"}
    assert (finding["code"], finding["severity"], finding["span"], finding["fix"]) == ("N01", "error", None, None)
    Path("reset.entry").write_bytes(b"\x01" + bytes(15))
    warned = vmci("check", "reset.entry", "--json")
    assert warned.code == 0 and warned.json["findings"][0]["severity"] == "warning"
    Path("short.entry").write_bytes(_GOOD[:15])
    spans = [f["span"] for f in vmci("check", "short.entry", "--json").json["findings"]]
    assert all(span is None or set(span) == {"offset", "length"} for span in spans)


@pytest.mark.parametrize(
    "command",
    [
        ("set", "dump.elf", "PAGESIZE=8192"),
        ("set", "dump.elf", "--delete", "PAGESIZE", "--yes", "worse"),
        ("append", "bare.elf", "--note", "note"),
        ("append", "bare.elf", "--note", "dump.elf"),
        ("append", "bare.elf", "--text", "text"),
        ("strip", "dump.elf"),
        ("set", "good.entry", "entry.paddr=0x2000"),
        ("new", "entry", "--size", "0x1024"),
    ],
)
def test_every_command_that_writes(vmci: Vmci, command: tuple[str, ...]) -> None:
    before = {name: Path(name).read_bytes() for name in os.listdir()}

    no_target = vmci(*command)
    assert (no_target.code, no_target.out) == (2, "") and "-o" in no_target.err

    for dry in (vmci(*command, "-o", "out", "--dry-run"), vmci(*command, "-o", "out", "--dry-run", "--json")):
        assert dry.code == 0 and dry.out
    plan = dry.json["plan"]
    assert set(plan) == {"way", "bytes_written", "steps"}
    assert plan["way"] == "copy" and plan["bytes_written"] == sum(step["length"] for step in plan["steps"])
    assert all(set(step) == {"do", "offset", "length", "why"} for step in plan["steps"])
    assert {name: Path(name).read_bytes() for name in os.listdir()} == before, "--dry-run writes nothing"

    if command[0] != "new":
        in_place = vmci(*command, "--in-place", "--dry-run", "--json")
        assert in_place.code == 0 and in_place.json["plan"]["way"] in ("overwrite", "lift")
        both = vmci(*command, "--in-place", "-o", "out")
        assert both.code == 2

    done = vmci(*command, "-o", "out")
    assert (done.code, done.out) == (0, "") and "saved out" in done.err
    assert Path("out").stat().st_size == plan["bytes_written"]
    assert {name: Path(name).read_bytes() for name in os.listdir() if name != "out"} == before
    again = vmci(*command, "-o", "out2", "--json")
    assert again.code == 0 and again.json["plan"] == plan
    assert Path("out").read_bytes() == Path("out2").read_bytes()


def test_set_and_delete_change_only_the_named_keys(vmci: Vmci) -> None:
    assert vmci("set", "dump.elf", "PAGESIZE=8192", r"NEW=\x00\\x", "--delete", "KERNELOFFSET", "-o", "out").code == 0
    keys = {k["key"]: k["value"] for k in vmci("show", "out", "--json").json["vmcoreinfo"]["keys"]}
    assert keys["PAGESIZE"] == "8192" and keys["NEW"] == r"\x00\\x" and "KERNELOFFSET" not in keys
    assert keys["OSRELEASE"] == "6.1.0-test"


def test_the_entry_beside_a_dump_is_saved(vmci: Vmci) -> None:
    assert vmci("set", "dump.elf", "--blob", "good.entry", "entry.size=8192", "-o", "out").code == 0
    assert Path("out").read_bytes() == Entry(0, 1, 8192, 0x1000).pack()
    assert vmci("set", "-o", "out", "good.entry", "--json", "entry.size=4096", "entry.paddr=0").code == 0
    assert Path("out").read_bytes() == Entry(0, 1, 4096, 0).pack()


def test_a_new_entry(vmci: Vmci) -> None:
    made = vmci(
        "new", "entry", "--size", "0x4024", "--paddr", "4096", "--guest-format", "1", "--host-format", "0", "-o", "e"
    )
    assert made.code == 0 and Path("e").read_bytes() == Entry(0, 1, 0x4024, 4096).pack()
    assert vmci("new", "entry", "--size", str(1 << 32), "-o", "e2").code == 2 and not Path("e2").exists()


def test_an_orderly_file_has_an_empty_plan(vmci: Vmci) -> None:
    same = vmci("set", "dump.elf", "PAGESIZE=4096", "-o", "out", "--dry-run", "--json").json["plan"]
    assert same == {"way": "none", "bytes_written": 0, "steps": []}
    assert vmci("set", "dump.elf", "PAGESIZE=4096", "-o", "out").code == 0
    assert Path("out").read_bytes() == _DUMP


def test_hex(vmci: Vmci) -> None:
    assert vmci("hex", "dump.elf", "--len", "16").out.startswith("00000000: 7F 45 4C 46 02 01 01")
    assert len(vmci("hex", "dump.elf").out.splitlines()) == 16
    at = vmci("hex", "dump.elf", "--paddr", "0x1008", "--len", "4", "--json").json
    assert set(at) == {"schema", "file", "offset", "length", "hex", "paddr", "place", "pointers"}
    assert (at["offset"], bytes.fromhex(at["hex"])) == (len(_DUMP) - 8192 + 8, factory.ram()[8:12])
    assert vmci("hex", "dump.elf", "--at", "0x40", "--len", "4").out.startswith("00000040: 04")
    assert vmci("hex", "dump.elf", "--paddr", "0").code == 2
    assert vmci("hex", "dump.elf", "--len", "2000000").code == 2
    for outside in ("-1", str(len(_DUMP) + 1), "0x", "1x"):
        assert vmci("hex", "dump.elf", "--at", outside).code == 2
    assert vmci("hex", "good.entry").out.startswith("00000000: 00 00 01 00 24 10")


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (2, ("frobnicate", "--json")),
        (2, ("show",)),
        (2, ("show", "dump.elf", "--none")),
        (2, ("append", "bare.elf", "-o", "out")),
        (2, ("append", "good.entry", "--note", "note", "-o", "out")),
        (2, ("set", "dump.elf", "-o", "out")),
        (2, ("set", "dump.elf", "NOVALUE", "-o", "out")),
        (2, ("set", "dump.elf", "-o", "out", "--none", "A=1")),
        (2, ("set", "dump.elf", "=x", "-o", "out")),
        (2, ("set", "dump.elf", "A=\\q", "-o", "out")),
        (2, ("set", "dump.elf", "entry.size=1", "-o", "out")),
        (2, ("set", "bare.elf", "A=1", "-o", "out")),
        (2, ("set", "good.entry", "A=1", "-o", "out")),
        (2, ("set", "good.entry", "entry.none=1", "-o", "out")),
        (2, ("set", "good.entry", "entry.size=ten", "-o", "out")),
        (2, ("strip", "bare.elf", "-o", "out")),
        (2, ("new", "blob", "-o", "out")),
        (2, ("dump.elf", "good.entry", "more")),
        (2, ("dump.elf",)),  # the app needs a terminal
        (3, ("show", "gone")),
        (3, ("show", ".")),
        (3, ("show", "text")),
        (3, ("show", "note")),
        (3, ("show", "dump.elf", "--blob", "dump.elf")),
        (3, ("show", "good.entry", "--blob", "good.entry")),
        (3, ("append", "bare.elf", "--note", "text", "-o", "out")),
        (3, ("append", "bare.elf", "--text", "note", "-o", "out")),
        (3, ("append", "bare.elf", "--note", "bare.elf", "-o", "out")),
        (4, ("strip", "dump.elf", "-o", "dump.elf")),
        (4, ("strip", "dump.elf", "-o", "none/out")),
        (4, ("strip", "dump.elf", "-o", ".")),
    ],
)
def test_errors_are_one_line_with_their_exit_code(vmci: Vmci, code: int, arguments: tuple[str, ...]) -> None:
    ran = vmci(*arguments)
    assert (ran.code, ran.out) == (code, ""), ran
    assert ran.err.startswith("vmci: ") and ran.err.count("\n") == 1 and ran.err[:-1].isprintable()
    assert not Path("out").exists() and Path("dump.elf").read_bytes() == _DUMP


def test_hostile_names_and_texts_stay_printable(vmci: Vmci) -> None:
    name = "\x1b[31m\u202e[b].elf"
    hostile = factory.note(b"A=\x1b]0;x\x07\nB=[red]\xff\n\x1b\n")
    Path(name).write_bytes(factory.elf((hostile,)))
    for command in ("show", "check", "hex"):
        for more in ((), ("--json",)):
            ran = vmci(command, name, *more)
            assert all(char.isprintable() or char == "\n" for char in ran.out + ran.err)
            assert ran.out.isascii()


def test_a_closed_output_pipe_is_not_an_error(vmci: Vmci) -> None:
    Path("many.elf").write_bytes(factory.elf((factory.note(b"A=1\n" * 50_000),)))
    ran = subprocess.run(
        f"{sys.executable} -m vmci_tui show many.elf | head -1", shell=True, capture_output=True, text=True
    )
    assert (ran.stderr, len(ran.stdout.splitlines())) == ("", 1)


def test_keys_and_entry_fields_are_two_files(
    sample: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dump, blob, out = sample("x86_64-linux-good.elf"), sample("x86_64-linux-good.entry"), str(tmp_path / "out")
    assert main(["set", dump, "--blob", blob, "PAGESIZE=8192", "entry.paddr=0x3000", "-o", out]) == 2
    assert "two files" in capsys.readouterr().err
    assert main(["set", dump, "--blob", blob, "entry.paddr=0x3000", "-o", out]) == 0
    assert Path(out).read_bytes().hex() == "00000100241000000030000000000000"


def test_hex_by_paddr_ends_with_its_range(sample: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hex", sample("amd64-note.elf-win4k"), "--paddr", "0x1958ff0", "--len", "64"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 and lines[0].startswith("01958FF0: ")


def test_an_output_that_cannot_be_written_is_reported(sample: Callable[[str], str]) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "vmci_tui", "show", sample("good.entry")]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1 and "cannot write the output" in done.stderr


def test_diff_prints_what_differs_and_exits_0(vmci: Vmci) -> None:
    Path("other").write_bytes(factory.TEXT_64.replace(b"6.1.0", b"6.2.0"))
    same = vmci("diff", "dump.elf", "note", "--json")
    assert (same.code, same.json) == (
        0, {"schema": 1, "a": "dump.elf", "b": "note", "same": True, "summary": same.json["summary"], "keys": []}
    )  # fmt: skip
    ran = vmci("diff", "dump.elf", "other", "--json")
    assert ran.code == 0 and not ran.json["same"] and "another kernel" in ran.json["summary"][0]
    assert "text alone" in ran.json["summary"][-1]
    (key,) = ran.json["keys"]
    assert set(key) == {"key", "a", "b", "change", "means"}
    assert (key["key"], key["a"], key["b"], key["change"]) == ("OSRELEASE", "6.1.0-test", "6.2.0-test", "changed")
    shown = vmci("diff", "other", "text")
    assert shown.code == 0 and "OSRELEASE: changed" in shown.out
    for bad in (("bare.elf", "note"), ("note", "gone"), ("good.entry", "note"), ("note", "dump.elf@0x1000")):
        ran = vmci("diff", *bad)
        assert (ran.code, ran.out) == (3, "") and len(ran.err.splitlines()) == 1


def test_diff_reads_a_note_at_an_address(vmci: Vmci) -> None:
    panicked = factory.note(factory.TEXT_64 + b"CRASHTIME=1763900000\n")
    memory = panicked.ljust(4096, b"\0") + factory.TEXT_64.ljust(4096, b"\0")
    Path("memory.elf").write_bytes(factory.elf(loads=(factory.Load(0x1000, memory),)))
    ran = vmci("diff", "memory.elf@0x1000", "memory.elf@8192", "--json").json
    assert [key["key"] for key in ran["keys"]] == ["CRASHTIME"] and ran["keys"][0]["change"] == "gone"
    assert "A was written at a panic" in ran["summary"][0] and "text alone" in ran["summary"][1]
    Path("odd@0x1000").write_bytes(factory.note())
    assert vmci("diff", "odd@0x1000", "note", "--json").json["same"]


def test_new_entry_from_the_output_of_other_programs(vmci: Vmci, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pair").write_bytes(b"0x0000000000001000 1024\n")
    Path("gdb").write_bytes(b"$1 = {host_format = 0, guest_format = 1, size = 4132, paddr = 4096}\n")
    for option, file in (("--from-sysfs", "pair"), ("--from-gdb", "gdb")):
        assert vmci("new", "entry", option, file, "-o", "out").code == 0
        assert Path("out").read_bytes() == _GOOD
        assert vmci("new", "entry", option, file, "--paddr", "0x2000", "-o", "out").code == 0
        assert Entry.parse(Path("out").read_bytes()).paddr == 0x2000
        assert vmci("show", file, "--json").json["entry"]["paddr"] == 0x1000
        assert vmci("show", "dump.elf", "--blob", file, "--json").json["entry"]["size"] == 4132
    assert vmci("show", "pair", "--json").json["entry"]["present"] is None
    for option, file in (("--from-gdb", "pair"), ("--from-sysfs", "gdb"), ("--from-gdb", "gone")):
        assert vmci("new", "entry", option, file, "-o", "out").code == 3
    both = vmci("new", "entry", "--from-gdb", "gdb", "--from-sysfs", "pair", "-o", "out")
    assert both.code == 2
    Path("absent").write_bytes(b"{has_vmcoreinfo = false, vmcoreinfo = {" + Path("gdb").read_bytes()[6:])
    ran = vmci("new", "entry", "--from-gdb", "absent", "-o", "out")
    assert ran.code == 0 and "QEMU reports no note" in ran.err
    assert vmci("check", "absent").code == 1


def test_an_indented_text_of_crash_is_appended_without_blanks_and_reported(vmci: Vmci) -> None:
    indented = b"".join(b" " * 22 + line for line in factory.TEXT_64.splitlines(keepends=True))
    Path("help-D.txt").write_bytes(indented)
    done = vmci("append", "bare.elf", "--text", "help-D.txt", "-o", "out.elf")
    assert done.code == 0 and "--verbatim keeps them" in done.err
    assert vmci("diff", "out.elf", "help-D.txt").code == 0
    kept = vmci("append", "bare.elf", "--text", "help-D.txt", "--verbatim", "-o", "kept.elf")
    assert kept.code == 0 and "blanks" not in kept.err
    assert indented in Path("kept.elf").read_bytes() and indented not in Path("out.elf").read_bytes()
    assert factory.TEXT_64 in Path("out.elf").read_bytes()
    assert vmci("append", "bare.elf", "--note", "note", "--verbatim", "-o", "x").code == 2


def test_a_misspelt_command_is_not_taken_for_a_file(vmci: Vmci) -> None:
    wrong = vmci("chekc", "dump.elf")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err == "vmci: chekc is neither a file nor a command; did you mean `vmci check`?\n"
    Path("chekc").write_bytes(_GOOD)
    assert "needs a terminal" in vmci("chekc").err, "a file of that name is opened"
    assert "no such file" in vmci("nothing.elf").err


def test_a_dry_run_needs_no_output(vmci: Vmci) -> None:
    before = set(os.listdir())
    for command in (("set", "dump.elf", "PAGESIZE=8192"), ("repair", "bare.elf"), ("new", "entry", "--size", "1MiB")):
        assert vmci(*command).code == 2 and vmci(*command, "--dry-run").code in (0, 1)
    assert "plan: " in vmci("set", "good.entry", "entry.size=4KiB", "--dry-run").out
    assert set(os.listdir()) == before
