"""What was done in the app as commands for the shell: each edit that a command does too, one after the other.

A command is told only where the edits that it stands for, applied to the state before, give
the state that the app has: the first one writes a copy, those after it change that copy.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from vmci_tui.common.errors import EditError, VmciError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.document import edit_entry, edit_head, edit_notes, edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit, several
from vmci_tui.document.found_note import FromFile, FromMemory
from vmci_tui.document.state import State
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.fw_cfg_entry import FIELDS, LENGTH, EntryHistory, Write
from vmci_tui.layers.file import FileSource
from vmci_tui.repair.next_commands import copy_name, shell_word

_PAIRS: Final = 20
"""More keys than this are told as a whole text."""
_COMPARED: Final = 1 << 18
"""Bytes of two texts that are compared key by key, at each edit: two pages of 64 KiB, and as much again."""
_PRINTED: Final = 8 << 10
"""Bytes of a text or note that a command line still takes."""


class Told(NamedTuple):
    """One edit, or a group of them, and the command that does the same; None where no single one does."""

    label: str
    command: Safe | None


class Group(NamedTuple):
    """Edits that one command makes together, as `repair` does: the state that they end in, and its words."""

    after: State
    words: str


class _File:
    """A file that commands change: the first one copies it, the others work on the copy."""

    def __init__(self, name: str, copy: str) -> None:
        self.name, self._copy, self.copied = name, copy, False

    def command(self, words: str, before: str = "") -> Safe:
        """`words` hold `{}` for the file; `before` feeds it through a pipe."""
        where = "--in-place" if self.copied else f"-o {shell_word(self._copy)}"
        line = f"{before}vmci {words.format(shell_word(self.name))} {where}"
        self.name, self.copied = self._copy, True
        return Safe(line)


def commands(document: Document, groups: Mapping[State, Group] | None = None) -> tuple[Told, ...]:
    """The edits that make up the state, oldest first; `groups` by the state before them."""
    path = document.source.path if isinstance(document.source, FileSource) else "new.entry"
    blob = document.blob.path if isinstance(document.blob, FileSource) else None
    dump = _File(path, copy_name(path))
    entry = _File(blob or path, _entry_copy(blob or path))
    states = [document.opened, *(step.state for step in document.steps)]
    out, at = [], 0
    while at < len(document.steps):
        before, group = states[at], (groups or {}).get(states[at])
        if group is not None and group.after in states[at + 1 :]:
            out.append(Told(group.words, dump.command(group.words.replace("FILE", "{}", 1))))
            at = states.index(group.after, at + 1)
            continue
        edit, after = document.steps[at]
        out.append(Told(edit.label, _command(document, edit, before, after, dump, entry)))
        at += 1
    return tuple(out)


def _entry_copy(path: str) -> str:
    """As the app calls it: an entry that only a text tells of becomes a blob."""
    if path.endswith(".json"):
        return path.removesuffix(".json").removesuffix(".write") + ".entry"
    return copy_name(path) if os.path.basename(path) != "new.entry" else path


def _command(document: Document, edit: Edit, before: State, after: State, dump: _File, entry: _File) -> Safe | None:
    if before.of_dump == after.of_dump:
        there = entry.copied or document.dump is not None or isinstance(document.source, FileSource)
        words = _on_entry(before, after, there)
        return None if words is None else entry.command(words)
    if before.entry != after.entry or document.dump is None:
        return None
    found = dict(edit.arguments).get("found")
    if isinstance(found, FromFile | FromMemory):
        return dump.command(_appending(found))
    for same, words, pipe in _same(before, after, document.dump.order):
        try:
            if same.apply(before) == after:
                return dump.command(words, pipe)
        except VmciError:
            continue
    return None


def _on_entry(before: State, after: State, there: bool) -> str | None:
    """`there`: whether there is a file to change, or one that a command made."""
    history = after.entry
    if history is None or before.entry is None:
        return None
    try:
        state, pairs = before, []
        for field, old, new in zip(FIELDS, before.entry.entry, history.entry, strict=True):
            if old != new:
                state = edit_entry.set_field(state, field.name, new)
                pairs.append(f"entry.{field.name}={new:#x}")
    except EditError:
        return None
    if there and pairs and state == after:
        return f"set {{}} {' '.join(pairs)}"
    if not there and history == EntryHistory("blob", (Write(0, LENGTH, history.entry.pack()),)):
        names = zip(FIELDS, history.entry, strict=True)
        return "new entry " + " ".join(f"--{field.name.replace('_', '-')} {value:#x}" for field, value in names)
    return None


def _appending(found: FromFile | FromMemory) -> str:
    if isinstance(found, FromMemory):
        return f"append {{}} --from-memory {found.paddr:#x}"
    return f"append {{}} --{found.form} {_literally(shell_word(found.path))}"


def _same(before: State, after: State, order: ByteOrder) -> Iterator[tuple[Edit, str, str]]:
    """Edits that may have the same effect, the words of the command of each, and what is piped into it."""
    yield Edit.of(edit_notes.strip), "strip {}", ""
    yield Edit.of(edit_head.order_head), "repair {} --only C06", ""
    yield Edit.of(edit_head.merge_headers), "repair {} --only C11", ""
    if after.mapped != before.mapped:
        yield Edit.of(edit_head.map_headers, after.mapped), "repair {} --only C35,C36", ""
    yield from _by_keys(before, after)
    note = after.note
    if note is not None and len(note.raw) <= _PRINTED:
        yield Edit.of(edit_notes.append_text, note.desc, order), "append {} --text -", _printed(note.desc)
        yield Edit.of(edit_notes.append_note, note, order), "append {} --note -", _printed(note.raw)


def _by_keys(before: State, after: State) -> Iterator[tuple[Edit, str, str]]:
    """`set`, which changes and deletes whole keys."""
    old, new = before.vmcoreinfo, after.vmcoreinfo
    if old is None or new is None or len(old.text) + len(new.text) > _COMPARED:
        return
    keys = dict.fromkeys(line.key for text in (new, old) for line in text.lines if line.key is not None)
    changed = [k for k in keys if [ln.value for ln in old.all(k)] != [ln.value for ln in new.all(k)]]
    kept = {key: value for key in changed if (value := new.get(key)) is not None}
    gone = [key for key in changed if key not in kept]
    pairs = [key + b"=" + value for key, value in kept.items()]
    if not 0 < len(changed) <= _PAIRS:
        return
    if any(not word or word.startswith((b"-", b"entry.")) for word in (*pairs, *gone)):
        return
    every = [Edit.of(edit_text.set_key, key, value) for key, value in kept.items()]
    every += [Edit.of(edit_text.delete_key, key) for key in gone]
    words = [shlex.quote(visible(pair)) for pair in pairs]
    words += [f"--delete {shlex.quote(visible(key))}" for key in gone]
    yield Edit.of(several, tuple(every)), f"set {{}} {_literally(' '.join(words))}", ""


def _literally(words: str) -> str:
    """Words in which braces stand for themselves."""
    return words.replace("{", "{{").replace("}", "}}")


def _printed(data: bytes) -> str:
    """A pipe that gives these bytes, as every shell's printf writes them."""
    return f"printf %b {shlex.quote(''.join(_octal(byte) for byte in data))} | "


def _octal(byte: int) -> str:
    if byte == 0x0A:
        return "\\n"
    return chr(byte) if 0x20 <= byte < 0x7F and byte != 0x5C else f"\\0{byte:03o}"


def look_commands(document: Document, offset: int, key: bytes | None) -> Iterator[Told]:
    """What shows in the shell what the app shows; `offset` and `key` are those under the cursors."""
    if not isinstance(document.source, FileSource):
        return
    file = shell_word(document.source.path)
    blob = shell_word(document.blob.path) if isinstance(document.blob, FileSource) else None
    beside = f" --blob {blob}" if blob else ""
    yield Told("everything that the file holds", Safe(f"vmci show {file}{beside}"))
    yield Told("findings, and what each reader says", Safe(f"vmci check {file}{beside}"))
    yield Told("the bytes at the cursor", Safe(f"vmci hex {file} --at {offset:#x}"))
    if key:
        yield Told("the key under the cursor", Safe(f"vmci explain {shlex.quote(visible(key))}"))
    if document.dump is not None:
        yield Told("the note in guest memory", Safe(f"vmci find {file}"))
        copy = shell_word(copy_name(document.source.path))
        yield Told("every safe fix", Safe(f"vmci repair {file} -o {copy}"))
