"""Test the commands to run next: exact, for this dump, safe to show and to paste."""

from __future__ import annotations

import gzip
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.data_files import fault
from tests.dumps.factory import cpus, elf, note
from tests.dumps.kdump_factory import kdump, pages
from tests.kit import opened, saved
from tests.opened_files import open_document
from tests.paths import DATA
from tests.properties import given
from vmci_tui.common.samples import samples
from vmci_tui.document import edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.findings.judgement import Judgement
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.images.as_dump import ImageDump
from vmci_tui.knowledge.debug_packages import build_id, vmlinux_of
from vmci_tui.readers import drgn
from vmci_tui.readers.libkdumpfile.guest_rules import LACKS_MACHINE
from vmci_tui.readers.verdicts import DEFAULT
from vmci_tui.render.verdict_report import next_json, next_text
from vmci_tui.repair.next_commands import NextCommand, copy_name, next_commands, shell_word
from vmci_tui.repair.safe_fixes import repair

_KDUMPS = DATA / "kdump"
Sample = Callable[[str], str]


def _steps(document: Document) -> dict[str, list[NextCommand]]:
    out: dict[str, list[NextCommand]] = {}
    for step in next_commands(Judgement.of(document)):
        out.setdefault(step.reader, []).append(step)
    return out


def _commands(document: Document) -> list[str]:
    return [str(step.command) for step in next_commands(Judgement.of(document))]


def test_a_good_dump_has_a_command_for_each_reader(sample: Sample) -> None:
    path = sample("amd64-cut-note.elf")
    steps = _steps(open_document(path))
    file, small, log = (shlex.quote(path.replace(".elf", end)) for end in (".elf", "-small.kdump", "-dmesg.txt"))
    assert next(iter(steps)) == "debuginfod", "it gets the vmlinux that the next ones need"
    assert [str(s.command) for s in steps["crash"]] == [
        f"crash /usr/lib/debug/boot/vmlinux-6.1.0-56-amd64 {file}", f"crash --osrelease {file}"
    ]  # fmt: skip
    assert "linux-image-6.1.0-56-amd64-dbg" in steps["crash"][0].why
    assert [str(s.command) for s in steps["makedumpfile"]] == [
        f"makedumpfile --dump-dmesg {file} {log}", f"makedumpfile -l -d 31 {file} {small}"
    ]  # fmt: skip
    assert steps["drgn"][0].command == f"drgn -c {file}"
    number = "eb4fbcd037e7253717950bf2b93bd5566f47c56f"
    assert steps["debuginfod"][0].command == f"debuginfod-find debuginfo {number}"
    assert f"/buildid/{number}/debuginfo" in steps["debuginfod"][0].why
    assert set(steps) == {"crash", "drgn", "libkdumpfile", "makedumpfile", "readelf", "eu-readelf", "debuginfod"}


@pytest.mark.parametrize(("version", "fits"), [("1.7.2", False), ("1.7.6", False), ("1.7.7", True)])
def test_a_copy_is_offered_only_of_kernels_that_makedumpfile_knows(
    sample: Sample, tmp_path: Path, version: str, fits: bool
) -> None:
    path = tmp_path / "dump.elf"
    path.write_bytes(Path(sample("amd64-cut-note.elf")).read_bytes().replace(b"6.1.0-56-amd64", b"6.12.9-6-amd64"))
    document = open_document(str(path))
    judgement = Judgement.of(document, readers=DEFAULT.at({"makedumpfile": version}))
    assert any("-d 31" in step.command for step in next_commands(judgement)) is fits
    assert any(item.code == "T24" for item in judgement.found) is not fits


def test_readers_built_for_x86_64_are_not_offered_for_other_machines(sample: Sample) -> None:
    """makedumpfile accepts the note of an arm64 dump, and stops later: it is built for x86-64."""
    assert set(_steps(open_document(sample("arm64-cut-note.elf")))) == {
        "drgn", "libkdumpfile", "readelf", "eu-readelf", "debuginfod"
    }  # fmt: skip


def test_a_refused_dump_begins_with_a_repair(sample: Sample) -> None:
    first = next_commands(Judgement.of(open_document(sample("amd64-cut-nonote.elf"))))
    assert [step.reader for step in first] == ["vmci"]
    assert str(first[0].command).endswith("amd64-cut-nonote-fixed.elf") and "crash, drgn, libkdumpfile" in first[0].why
    other = next_commands(Judgement.of(open_document(sample("arm64-cut-nonote.elf"))))
    assert "; drgn, libkdumpfile, makedumpfile, readelf, eu-readelf refuse" in other[0].why, "crash reads other dumps"
    assert _commands(open_document(sample("x86_64-linux-good.elf")))[0].startswith("vmci repair ")


def test_a_repair_is_advised_if_it_changes_something() -> None:
    for path in (item.path for item in samples()):
        document = open_document(path)
        if document.dump is None:
            continue
        judgement = Judgement.of(document)
        command = "vmci convert" if isinstance(document.dump, ImageDump) else "vmci repair"
        advised = any(step.command.startswith(command) for step in next_commands(judgement))
        done = repair(document)
        refused = any(v.accepts is False for v in judgement.now.values())
        assert advised == (bool(done.steps or done.question) and refused), path


def test_a_whole_kdump_needs_no_repair() -> None:
    """readelf can never read a kdump: that alone is no reason for a repair that changes nothing."""
    broken = opened(gzip.decompress((_KDUMPS / "x86_64-kaslr.kdump.gz").read_bytes()))
    assert _commands(broken)[0].startswith("vmci repair")
    repair(broken)
    whole = opened(saved(broken))
    assert Judgement.of(whole).now["readelf"].accepts is False
    assert not any("vmci repair" in command for command in _commands(whole)) and not repair(whole).steps


def test_a_windows_dump_is_not_repaired_and_an_entry_has_no_commands(sample: Sample) -> None:
    assert list(_steps(open_document(sample("x86_64-windows.elf")))) == ["readelf"]
    assert not _steps(open_document(sample("good.entry")))


def test_only_the_readers_that_were_asked_for(sample: Sample) -> None:
    document = open_document(sample("amd64-cut-note.elf"))
    assert [step.reader for step in next_commands(Judgement.of(document), readers=("drgn",))] == ["debuginfod", "drgn"]


def test_commands_for_one_reader_need_no_other_reader() -> None:
    """Wrong addresses in program headers concern other readers than the requested one."""
    blind = opened((DATA / "faults/633-armhf.elf").read_bytes())
    judgement = Judgement.of(blind)
    assert any(step.reader == "vmci" for step in next_commands(judgement))
    for name in judgement.now:
        next_commands(judgement, readers=(name,))


def test_after_a_save_the_commands_name_the_copy(sample: Sample) -> None:
    document = open_document(sample("crlf.elf"))
    from vmci_tui.repair.fix_for_reader import fix_for_reader

    fix_for_reader(document, "drgn")
    steps = next_commands(Judgement.of(document), "/tmp/a copy.elf")
    assert "drgn -c '/tmp/a copy.elf'" in [str(step.command) for step in steps]


@pytest.mark.parametrize(
    ("release", "path", "source"),
    [
        ("6.1.0-56-amd64", "/usr/lib/debug/boot/vmlinux-6.1.0-56-amd64", "linux-image-6.1.0-56-amd64-dbg (Debian)"),
        ("6.12.95+deb12-powerpc64le", "/usr/lib/debug/boot/vmlinux-6.12.95+deb12-powerpc64le", "(Debian)"),
        ("6.1.0-50-686-pae", "/usr/lib/debug/boot/vmlinux-6.1.0-50-686-pae", "linux-image-6.1.0-50-686-pae-dbg"),
        ("6.1.0-9-cloud-amd64", "/usr/lib/debug/boot/vmlinux-6.1.0-9-cloud-amd64", "(Debian)"),
        ("5.15.0-91-generic", "/usr/lib/debug/boot/vmlinux-5.15.0-91-generic", "linux-image-5.15.0-91-generic-dbgsym"),
        ("5.14.0-362.8.1.el9_3.x86_64", "/usr/lib/debug/lib/modules/5.14.0-362.8.1.el9_3.x86_64/vmlinux", "RHEL"),
        ("6.8.5-301.fc40.x86_64", "/usr/lib/debug/lib/modules/6.8.5-301.fc40.x86_64/vmlinux", "kernel-debuginfo-6.8.5"),
        ("5.15.0-3.60.5.1.el9uek.x86_64", "/usr/lib/debug/lib/modules/5.15.0-3.60.5.1.el9uek.x86_64/vmlinux", "Oracle"),
        ("6.1.61-85.141.amzn2023.x86_64", "VMLINUX", "kernel-debuginfo-6.1.61-85.141.amzn2023.x86_64 (Amazon Linux"),
        ("5.14.21-150500.53-default", "VMLINUX", "kernel-default-debuginfo"),
        ("7.0.0-rc1", "VMLINUX", "the vmlinux with debug info of 7.0.0-rc1"),
        ("6.1/../../etc", "VMLINUX", "the vmlinux with debug info of the guest's kernel"),
        ("$(reboot)", "VMLINUX", "the guest's kernel"),
        ("", "VMLINUX", "the guest's kernel"),
    ],
)
def test_the_source_of_vmlinux(release: str, path: str, source: str) -> None:
    found = vmlinux_of(Vmcoreinfo(f"OSRELEASE={release}\n".encode()))
    assert found.path == path and source in found.source


def test_a_wrong_build_id_is_not_used_in_a_command() -> None:
    """5.15.168 and later write a wrong build ID (finding T18)."""
    lines = b"BUILD-ID=%s\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)=ffffffff82c10000\n" % (b"ab" * 20)
    good = _steps(opened(elf((cpus() + note(b"OSRELEASE=5.15.167\n" + lines),))))
    bad = _steps(opened(elf((cpus() + note(b"OSRELEASE=5.15.168\n" + lines),))))
    assert "debuginfod" in good and "garbage" not in good["drgn"][0].why
    assert "debuginfod" not in bad
    assert all("by BUILD-ID, which is garbage in 5.15.168" in bad[name][0].why for name in ("crash", "drgn"))


@pytest.mark.parametrize("value", [b"", b"0x12", b"ab" * 19, b"ab" * 21, b"zz" * 20, b"$(id)" * 8])
def test_a_malformed_build_id_is_none(value: bytes) -> None:
    assert build_id(Vmcoreinfo(b"BUILD-ID=" + value + b"\n")) is None


def _drgn(notes: tuple[bytes, ...] | None = None, of: str = "0.3.0", **uts: bytes) -> list[str]:
    """Return the commands for a version of drgn with a kdump file whose header has this utsname."""
    document, readers = opened(kdump(pages(1, 2), notes, uts=uts)), DEFAULT.at({"drgn": of})
    steps = next_commands(Judgement.of(document, readers=readers), "a.kdump")
    return [step.command for step in steps if step.reader == "drgn"]


def test_drgn_gets_the_machine_of_a_kdump_that_names_none() -> None:
    told = ["drgn --architecture x86_64 -c a.kdump"]
    assert _drgn(machine=b"x86_64") == told, "QEMU's own: the rest of utsname is empty"
    assert _drgn(sysname=b"Linux", release=b"6.1", version=b"1", machine=b"X86_64") == told
    assert not _drgn((), sysname=b"Linux", release=b"6.1", version=b"1", machine=b"x86_64"), "it lacks the note"
    assert {rule.name for rule in drgn.READER.rules} >= LACKS_MACHINE


def test_drgn_gets_no_option_that_its_version_does_not_know() -> None:
    told = ["drgn --architecture x86_64 -c a.kdump"]
    assert _drgn(of="0.0.27", machine=b"x86_64") == told
    assert _drgn(of="0.0.25", machine=b"x86_64") == [], "it refuses the file"
    for version, command in (("0.0.25", ["drgn -c a.kdump"]), ("0.0.27", told)):
        assert _drgn(None, version, sysname=b"Linux", release=b"6.1", version=b"1", machine=b"x86_64") == command


def test_an_old_crash_may_not_read_the_vmlinux() -> None:
    document = opened(elf((cpus() + note(),)))
    for version, old in (("7.2.9", True), ("8.0.2", False)):
        steps = next_commands(Judgement.of(document, readers=DEFAULT.at({"crash": version})))
        assert any("DWARF 5" in step.why for step in steps if step.reader == "crash") is old


@given(st.text(min_size=1).filter(lambda text: "\0" not in text))
def test_a_name_is_one_safe_word(name: str) -> None:
    word = shell_word(name)
    assert word.isascii() and word.isprintable()
    if not word.startswith("$'"):
        assert shlex.split(word) == [f"./{name}" if name.startswith("-") else name]


@pytest.mark.parametrize(
    "name", [b"a b", b"-x'y\"", b"$(id);`id`", b"\x1b[31m\nf\\x", b"\xff'\\'\x7f9", "é\u202e".encode()]
)
def test_a_shell_reads_the_same_bytes_again(name: bytes) -> None:
    path = os.fsdecode(name)
    done = subprocess.run(["bash", "-c", f"printf %s {shell_word(path)}"], stdout=subprocess.PIPE, check=True)
    assert done.stdout == (b"./" if name.startswith(b"-") else b"") + name


def test_a_copy_is_in_the_folder_of_the_file() -> None:
    assert copy_name("/a.b/dump.elf") == "/a.b/dump-fixed.elf" and copy_name("dump") == "dump-fixed"


def test_text_has_bare_commands_and_json_their_reasons(sample: Sample) -> None:
    document = open_document(sample("amd64-cut-note.elf"))
    steps = next_commands(Judgement.of(document))
    lines = list(next_text(steps))
    assert [line.strip() for line in lines if not line.startswith("  #")] == [str(step.command) for step in steps]
    assert all(set(item) == {"reader", "command", "why"} for item in next_json(steps))


def test_a_repair_is_advised_if_a_reader_then_reads_memory() -> None:
    document = opened(fault("461-vaddr-lies.elf"))
    advised = next_commands(Judgement.of(document))[0]
    assert advised.reader == "vmci" and advised.why.endswith("; drgn reads no kernel memory of the current file")


def test_no_session_is_offered_with_a_note_of_another_kernel(sample: Sample) -> None:
    """Its vmlinux would be the wrong one; the note of this guest comes first."""
    judgement = Judgement.of(open_document(sample("class-mismatch.elf")))
    steps = next_commands(judgement)
    assert steps[0].command.startswith("vmci append ") and "--note NOTE" in steps[0].command
    assert {step.reader for step in steps[1:]} == {"readelf", "eu-readelf"}
    assert {step.reader for step in next_commands(judgement, "copy.elf")} == {"readelf", "eu-readelf"}


def test_a_note_that_memory_contradicts_is_repaired_first(sample: Sample) -> None:
    document = open_document(sample("amd64-cut-note.elf"))
    document.edit(Edit.of(edit_text.set_key, b"OSRELEASE", b"6.1.0-1-amd64"))
    steps = next_commands(Judgement.of(document))
    assert steps[0].command.startswith("vmci repair ") and "M05" in steps[0].why
    assert "crash" not in {step.reader for step in steps}
