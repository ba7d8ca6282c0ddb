"""Test that no sentence steers the program: with every label, message, hint and reason reworded it does the same."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import fields, is_dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import vmci_tui
from tests.kit import image_bytes
from tests.opened_files import open_document
from vmci_tui.adoption import choose
from vmci_tui.common import errors
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import guest_of
from vmci_tui.document import edit_headers, edit_notes, edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.edit_notes import FromFile
from vmci_tui.findings.judgement import Judgement
from vmci_tui.render.shell_script import commands
from vmci_tui.repair.fix_for_reader import fix_for_reader
from vmci_tui.repair.next_commands import next_commands
from vmci_tui.repair.safe_fixes import repair
from vmci_tui.saving.harm import harm_of
from vmci_tui.saving.new_file import write_new
from vmci_tui.saving.plan import plan_copy, plan_in_place

Sample = Callable[[str], str]

_SENTENCES = frozenset(
    ("words", "why", "says", "unread", "message", "hint", "label", "remarks", "summary", "doubts", "missing", "damage")
)
"""The names of fields that hold only text for people."""
_DATA = frozenset(("Need", "Reason"))
"""Classes whose `words` or `label` are searched for in a file."""
_LIST = (
    "crlf.elf", "two-notes.elf", "duplicate-keys.elf", "amd64-note.elf-win4k", "amd64-nonote.elf-winodd",
    "i386-qemu.kdump", "amd64-cut-nonote.elf", "x86_64-bad-phys-base.elf", "class-mismatch.elf", "hostile-text.elf",
)  # fmt: skip


def _classes() -> Iterator[type]:
    """Return every class of the program, except the app's."""
    for module in pkgutil.walk_packages(vmci_tui.__path__, "vmci_tui."):
        if module.name.startswith(("vmci_tui.tui", "vmci_tui.__main__")):
            continue
        for item in vars(importlib.import_module(module.name)).values():
            if isinstance(item, type) and item.__module__ == module.name and item.__name__ not in _DATA:
                yield item


def _reworded(value: object, fresh: Iterator[int]) -> object:
    """Other words for a sentence, or for each of several; what is empty stays so."""
    if isinstance(value, str) and value:
        return f"{{}} exists; FILE the header words {next(fresh)} %s"
    if isinstance(value, tuple) and value and all(isinstance(item, str) for item in value):
        return tuple(_reworded(item, fresh) for item in value)
    return value


def _reword(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give every sentence that is made from now on other words; the names of the classes that have some."""
    fresh, done = count(), []

    def of_tuple(cls: Any, places: list[int]) -> Callable[..., Any]:
        make = cls.__new__

        def new(kind: Any, *args: Any, **named: Any) -> Any:
            item = make(kind, *args, **named)
            return kind._make(_reworded(v, fresh) if at in places else v for at, v in enumerate(item))

        return new

    def of_dataclass(cls: Any, names: list[str]) -> Callable[..., None]:
        make = cls.__init__

        def init(self: Any, *args: Any, **named: Any) -> None:
            make(self, *args, **named)
            for name in names:
                object.__setattr__(self, name, _reworded(getattr(self, name), fresh))

        return init

    for cls in _classes():
        if issubclass(cls, tuple) and hasattr(cls, "_fields"):
            places = [at for at, name in enumerate(cls._fields) if name in _SENTENCES]
            if places:
                monkeypatch.setattr(cls, "__new__", of_tuple(cls, places))
                done.append(cls.__name__)
        elif is_dataclass(cls):
            names = [item.name for item in fields(cls) if item.name in _SENTENCES]
            if names:
                monkeypatch.setattr(cls, "__init__", of_dataclass(cls, names))
                done.append(cls.__name__)
    monkeypatch.setattr(Edit, "label", property(lambda edit: _reworded("a label", fresh)))
    raised = errors.VmciError.__init__

    def init(self: errors.VmciError, message: str, hint: str = "") -> None:
        raised(self, str(_reworded(message, fresh)), str(_reworded(hint, fresh)))

    monkeypatch.setattr(errors.VmciError, "__init__", init)
    return done


def _said(document: Document) -> list[Any]:
    """Return the report of a document without its wording."""
    judgement = Judgement.of(document)
    out: list[Any] = [
        (name, v.accepts, v.reads, v.stage, v.osrelease, [fired.rule.name for fired in v.fired])
        for name, v in judgement.shown.items()
    ]
    for item in judgement.found:
        readers = [(consequence.reader, consequence.refuses) for consequence in item.readers]
        fix = None if item.fix is None else (item.fix.effect, item.fix.apply(document.state).of_dump.choice)
        out.append((item.code, item.severity, item.span, fix, readers))
    proof = judgement.proof
    out.append(None if proof is None else (proof.proved, [(c.key, c.value) for c in proof.corrections]))
    out.append([step.command for step in next_commands(judgement)])
    return out


def _raws(document: Document) -> list[bytes]:
    return [note.raw for note in document.state.notes]


def _done(document: Document) -> list[Any]:
    """Return the results of a repair and of its undo."""
    before = _raws(document)
    done = repair(document)
    out: list[Any] = [[(step.code, step.edit.effect) for step in done.steps], bool(done.question), len(done.left)]
    out += [[item.command for item in commands(document)], _raws(document), *_said(document)]
    out.append(image_bytes(document, document.saved_layout))
    harm = harm_of(document, plan_copy(document))
    out += [[item.reader for item in harm.worse], plan_in_place(document).strategy]
    while document.undo():
        pass
    assert _raws(document) == before
    return out


def _outcome(path: str, blob: str | None = None) -> list[Any]:
    with closing(open_document(path, blob)) as document:
        out = _said(document)
        assert document.dump is not None
        for item in choose.search(guest_of(document.dump), no_progress):
            out.append(
                (item.candidate.paddr, item.candidate.kind, item.candidate.whole, item.proof.proved, item.copies)
            )
        out += _done(document)
        for reader in ("crash", "drgn", "readelf"):
            mended = fix_for_reader(document, reader)
            out.append((mended.accepts, len(mended.labels), _raws(document)))
            while document.undo():
                pass
        return out


@pytest.mark.parametrize("name", _LIST)
def test_other_wording_changes_nothing(name: str, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sample(name)
    stem = os.path.splitext(name)[0]
    blob = sample(f"{stem}.entry") if stem.startswith("x86_64") else None
    plain = _outcome(path, blob)
    changed = _reword(monkeypatch)
    assert {"Finding", "Verdict", "FiredRule", "Proof", "RegionView", "Candidate"} <= set(changed)
    assert _outcome(path, blob) == plain


def _script(path: str) -> list[str | None]:
    document = open_document(path)
    assert document.dump is not None
    order = document.dump.order
    found = FromFile(edit_notes.note_around(b"OSRELEASE=6.1\n", order), "append the note of {x}; adopt", "text")
    edits = (
        Edit.of(edit_text.set_key, b"PAGESIZE", b"8192"), Edit.of(edit_text.delete_line, 1), Edit.of(edit_notes.strip),
        choose.adopted(choose.search(guest_of(document.dump), no_progress)[0].candidate, order),
        Edit.of(edit_notes.append_found, found, order), Edit.of(edit_headers.merge_headers),
    )  # fmt: skip
    assert all(document.edit(edit) for edit in edits)
    return [item.command for item in commands(document)]


def test_other_wording_gives_the_same_script(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sample("amd64-cut-note.elf")
    plain = _script(path)
    assert any(line and "--from-memory" in line for line in plain) and any(line and "--text" in line for line in plain)
    _reword(monkeypatch)
    assert _script(path) == plain


def test_the_next_free_name_does_not_depend_on_wording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _reword(monkeypatch)
    write_new(str(tmp_path / "a"), b"")
    with pytest.raises(errors.FileTaken):
        write_new(str(tmp_path / "a"), b"")
