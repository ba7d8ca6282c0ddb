"""Test that the shown commands repeat the edits of the app: a shell runs each, and the files are compared."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit import image_bytes
from tests.limits import PATIENCE
from tests.opened_files import open_document
from tests.paths import ROOT
from vmci_tui.adoption.choose import adopted, search_for
from vmci_tui.document import edit_entry, edit_headers, edit_notes, edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.edit_notes import FromFile
from vmci_tui.formats.fw_cfg_entry import LENGTH, Entry, EntryHistory, Write
from vmci_tui.opening.open_file import new_entry
from vmci_tui.render.shell_script import EditGroup, commands, look_commands
from vmci_tui.repair.safe_fixes import repair

Sample = Callable[[str], str]
_ROOT = ROOT


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Run a line in a folder of its own, with this `vmci` in the PATH."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "vmci"
    script.write_text(f'#!/bin/sh\nPYTHONPATH={_ROOT} exec {sys.executable} -m vmci_tui "$@"\n')
    script.chmod(0o755)

    def run(line: str) -> None:
        env = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
        ran = subprocess.run(["/bin/sh", "-c", line], env=env, capture_output=True, text=True, timeout=PATIENCE)
        assert ran.returncode == 0, (line, ran.stderr)

    return run


def _edited(path: str, todo: list[Edit]) -> Document:
    document = open_document(path)
    for edit in todo:
        assert document.edit(edit), edit
    return document


_TEXTS: list[tuple[str, list[Edit], tuple[str, ...]]] = [
    ("amd64-cut-note.elf", [Edit.of(edit_text.set_key, b"PAGESIZE", b"8192")], ("set",)),
    ("amd64-cut-note.elf", [Edit.of(edit_text.set_key, b"A'{}\\", b"$x `\x00")], ("set",)),
    (
        "amd64-cut-note.elf",
        [
            Edit.of(edit_text.add_key, b"NEW", b"1"),
            Edit.of(edit_text.delete_key, b"NUMBER(PG_lru)"),
            Edit.of(edit_text.move_line, 1, 1),
            Edit.of(edit_notes.strip),
        ],
        ("set", "set", "append", "strip"),
    ),
    ("crlf.elf", [Edit.of(edit_text.replace_bytes, b"\r\n", b"\n")], ("append",)),
    ("amd64-note.elf-win4k", [Edit.of(edit_headers.order_headers)], ("repair",)),
    ("amd64-cut-note.elf", [Edit.of(edit_notes.retype_note, 4, 7)], ("append",)),
]


@pytest.mark.parametrize(("name", "todo", "verbs"), _TEXTS)
def test_edits_as_commands(
    sample: Sample, shell: Callable[[str], None], name: str, todo: list[Edit], verbs: tuple[str, ...]
) -> None:
    shutil.copy(sample(name), name)
    document = _edited(name, todo)
    told = commands(document)
    assert [item.label for item in told] == [edit.label for edit in todo]
    found = [item.command for item in told if item.command is not None]
    assert [next(word for word in command.split("vmci ")[1].split()) for command in found] == list(verbs)
    assert "--in-place" not in found[0] and all(line.endswith("--in-place") for line in found[1:])
    asked = " --yes worse" * (name == "amd64-cut-note.elf")  # a script asks again for a save that a reader refuses
    shell("\n".join(("set -e", *(f"{line}{asked}" for line in found))))
    stem, ending = os.path.splitext(name)
    copy = Path(f"{stem}-fixed{ending}")
    if len(found) == 1:
        assert copy.read_bytes() == image_bytes(document, document.saved_layout)
    # A save in place may lay memory elsewhere in the file, but not in the guest.
    again = open_document(str(copy))
    assert [note.raw for note in again.state.notes] == [note.raw for note in document.state.notes]
    ranges = document.layout.memory.ranges
    assert [r[:2] for r in again.layout.memory.ranges] == [r[:2] for r in ranges]


def test_a_note_from_another_file_and_from_memory(sample: Sample, shell: Callable[[str], None]) -> None:
    shutil.copy(sample("amd64-cut-nonote.elf"), "a.elf")
    document = open_document("a.elf")
    assert document.dump is not None
    judged = search_for(document, None, lambda *_: None)[0]
    document.edit(adopted(judged.candidate, document.dump.order))
    (told,) = commands(document)
    assert told.command == f"vmci append a.elf --from-memory {judged.candidate.paddr:#x} -o a-fixed.elf"
    shell(told.command)
    assert Path("a-fixed.elf").read_bytes() == image_bytes(document, document.saved_layout)
    note = document.state.note
    assert note is not None
    Path("it's a text").write_bytes(note.desc)
    other = open_document("a.elf")
    other.edit(Edit.of(edit_notes.append_found, FromFile(note, "it's a text", "text"), "little"))
    (told,) = commands(other)
    assert told.command is not None
    shell(told.command.replace("a-fixed", "b"))
    assert Path("b.elf").read_bytes() == image_bytes(other, other.saved_layout)


def test_a_repair_is_one_command(sample: Sample, shell: Callable[[str], None]) -> None:
    shutil.copy(sample("amd64-note.elf-win4k"), "a.elf")
    document = open_document("a.elf")
    before = document.state
    done = repair(document)
    assert done.steps
    (told,) = commands(document, {before: EditGroup(document.state, "repair FILE")})
    assert told.command == "vmci repair a.elf -o a-fixed.elf"
    shell(f"{told.command} || true")
    assert Path("a-fixed.elf").read_bytes() == image_bytes(document, document.saved_layout)
    repaired = document.state
    document.undo()
    assert len(commands(document, {before: EditGroup(repaired, "repair FILE")})) == len(done.steps) - 1


def test_the_entry(sample: Sample, shell: Callable[[str], None]) -> None:
    shutil.copy(sample("good.entry"), "good.entry")
    document = _edited(
        "good.entry",
        [
            Edit.of(edit_entry.set_field, "size", 12),
            Edit.of(edit_entry.overwrite_entry, 8, b"\x07"),
        ],
    )
    told = [item.command for item in commands(document)]
    assert told[0] == "vmci set good.entry entry.size=0xc -o good-fixed.entry" and None not in told
    shell("\n".join(line for line in told if line))
    assert Path("good-fixed.entry").read_bytes() == document.state.entry.raw  # type: ignore[union-attr]
    made = new_entry(EntryHistory("blob"))
    whole = Write(0, LENGTH, Entry(0, 1, 4132, 0).pack())
    made.edit(Edit.of(edit_entry.set_entry, EntryHistory("blob", (whole,))))
    made.edit(Edit.of(edit_entry.set_field, "paddr", 0x1000))
    told = [item.command for item in commands(made)]
    assert told[0] is not None and told[0].startswith("vmci new entry --host-format 0x0")
    shell("\n".join(line for line in told if line))
    assert Path("new.entry").read_bytes() == made.state.entry.raw  # type: ignore[union-attr]


def test_an_edit_without_a_command_is_named(sample: Sample) -> None:
    document = _edited(sample("amd64-cut-note.elf"), [Edit.of(edit_notes.drop_note, 0)])
    assert commands(document)[0].command is None


def test_every_view_has_a_command(sample: Sample, shell: Callable[[str], None]) -> None:
    shutil.copy(sample("amd64-cut-note.elf"), "a.elf")
    for told in look_commands(open_document("a.elf"), 0x40, b"PAGESIZE"):
        assert told.command is not None
        shell(told.command)
