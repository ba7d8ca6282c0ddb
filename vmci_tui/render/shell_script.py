"""What was done in the app as shell commands: one for each edit that a command can make, in order.

A command is shown only if the edits that it stands for, applied to the state before, give the app's state. The
first command writes a copy, the others change that copy. That of a running VM is the dump that `vmci convert` makes.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from vmci_tui.common.errors import VmciError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.document import edit_entry, edit_headers, edit_notes, edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit, several
from vmci_tui.document.edit_notes import FromFile, FromKernel, FromMemory
from vmci_tui.document.state import State
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.fw_cfg_entry import FIELDS, LENGTH, EntryHistory, Write
from vmci_tui.layers.file import FileSource
from vmci_tui.repair.next_commands import conversion, copy_of, entry_copy_name, file_words, shell_word

_PAIRS: Final = 20
"""The most keys that one `set` command changes; for more the whole text is appended."""
_COMPARED: Final = 1 << 18
"""Bytes of two texts that are compared by key at each edit: two pages of 64 KiB, and as much again."""
_PRINTED: Final = 8 << 10
"""The most bytes of a text or note that are put on a command line."""


class ShellStep(NamedTuple):
    """One edit, or a group of them, and the command that does the same; None if no single command does."""

    label: str
    command: Safe | None


class EditGroup(NamedTuple):
    """Edits that one command makes together, like `repair`: the state after them, and the command's words."""

    after: State
    words: str


class _Equivalent(NamedTuple):
    """An edit, and the command that makes it."""

    edit: Edit
    command: str
    """With FILE for the file."""
    before: str = ""
    """What is piped into it."""


class _ChangedFile:
    """A file that commands change: the first command copies it, the others work on the copy."""

    def __init__(self, name: Safe, copy: str) -> None:
        self._name, self._copy, self.copied = name, shell_word(copy), False

    def command(self, words: str, before: str = "") -> Safe:
        """Return a command; `words` have FILE for the file, and `before` pipes data into it."""
        where = "--in-place" if self.copied else f"-o {self._copy}"
        line = f"{before}vmci {words.replace('FILE', self._name, 1)} {where}"
        self._name, self.copied = self._copy, True
        return Safe(line)


def commands(document: Document, groups: Mapping[State, EditGroup] | None = None) -> tuple[ShellStep, ...]:
    """Return the edits of the current state, oldest first; `groups` are keyed by the state before them."""
    path = document.source.path if isinstance(document.source, FileSource) else "new.entry"
    blob = document.blob.path if isinstance(document.blob, FileSource) else None
    dump = _ChangedFile(file_words(document), copy_of(document))
    entry = _ChangedFile(shell_word(blob or path), _entry_copy(blob or path, document.state.entry))
    states = [document.opened, *(step.state for step in document.steps)]
    out, at = list[ShellStep](), 0
    while at < len(document.steps):
        before, group = states[at], (groups or {}).get(states[at])
        if group is not None and group.after in states[at + 1 :]:
            out.append(ShellStep(group.words, dump.command(group.words)))
            at = states.index(group.after, at + 1)
            continue
        edit, after = document.steps[at]
        out.append(ShellStep(edit.label, _command(document, edit, before, after, dump, entry)))
        at += 1
    return tuple(out)


def _entry_copy(path: str, history: EntryHistory | None) -> str:
    """Return the copy's name as the app chooses it."""
    return path if history is None else entry_copy_name(path, history)


def _command(
    document: Document, edit: Edit, before: State, after: State, dump: _ChangedFile, entry: _ChangedFile
) -> Safe | None:
    if before.of_dump == after.of_dump:
        there = entry.copied or document.dump is not None or isinstance(document.source, FileSource)
        file, ways = entry, _of_entry(before, after, there)
    elif before.entry == after.entry and document.dump is not None:
        file, ways = dump, _of_dump(edit, before, after, document.dump.order)
    else:
        return None
    for way in ways:
        try:
            if way.edit.apply(before) == after:
                return file.command(way.command, way.before)
        except VmciError:
            continue
    return None


def _of_entry(before: State, after: State, there: bool) -> Iterator[_Equivalent]:
    """Yield commands for an edit of the entry; `there`: whether a file exists that can be changed."""
    if before.entry is None or after.entry is None:
        return
    old, new = before.entry.entry, after.entry.entry
    if there:
        changed = {f.name: value for f, was, value in zip(FIELDS, old, new, strict=True) if was != value}
        every = tuple(Edit.of(edit_entry.set_field, name, value) for name, value in changed.items())
        pairs = " ".join(f"entry.{name}={value:#x}" for name, value in changed.items())
        yield _Equivalent(Edit.of(several, every), f"set FILE {pairs}")
    else:
        whole = EntryHistory("blob", (Write(0, LENGTH, new.pack()),))
        options = (f"--{f.name.replace('_', '-')} {value:#x}" for f, value in zip(FIELDS, new, strict=True))
        yield _Equivalent(Edit.of(edit_entry.set_entry, whole), f"new entry {' '.join(options)}")


def _of_dump(edit: Edit, before: State, after: State, order: ByteOrder) -> Iterator[_Equivalent]:
    """Yield the edit itself if a command can name its note, then others that may have the same effect."""
    found = dict(edit.arguments).get("found")
    if isinstance(found, FromMemory):
        yield _Equivalent(edit, f"append FILE --from-memory {found.paddr:#x}")
    elif isinstance(found, FromKernel):
        yield _Equivalent(edit, "append FILE --from-kernel")
    elif isinstance(found, FromFile):
        yield _Equivalent(edit, f"append FILE --{found.form} {shell_word(found.path)}")
    yield _Equivalent(Edit.of(edit_notes.strip), "strip FILE")
    yield _Equivalent(Edit.of(edit_headers.order_headers), "repair FILE --only C06")
    yield _Equivalent(Edit.of(edit_headers.merge_headers), "repair FILE --only C11")
    if after.mapped != before.mapped:
        codes = ",".join(code for code, kind in catalogue().items() if kind.group == "addresses")
        yield _Equivalent(Edit.of(edit_headers.map_headers, after.mapped), f"repair FILE --only {codes}")
    yield from _by_keys(before, after)
    note = after.note
    if note is not None and len(note.raw) <= _PRINTED:
        yield _Equivalent(
            Edit.of(edit_notes.append_text, note.desc, order), "append FILE --text -", _printed(note.desc)
        )
        yield _Equivalent(Edit.of(edit_notes.append_note, note, order), "append FILE --note -", _printed(note.raw))


def _by_keys(before: State, after: State) -> Iterator[_Equivalent]:
    """Yield the `set` command, which changes and deletes whole keys."""
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
    yield _Equivalent(Edit.of(several, tuple(every)), f"set FILE {' '.join(words)}")


def _printed(data: bytes) -> str:
    """Return a pipe that gives these bytes, in a form that every shell's printf accepts."""
    return f"printf %b {shlex.quote(''.join(_octal(byte) for byte in data))} | "


def _octal(byte: int) -> str:
    if byte == 0x0A:
        return "\\n"
    return chr(byte) if 0x20 <= byte < 0x7F and byte != 0x5C else f"\\0{byte:03o}"


def look_commands(document: Document, offset: int, key: bytes | None) -> Iterator[ShellStep]:
    """Yield commands that print what the app shows; `offset` and `key` are those under the cursors."""
    if not isinstance(document.source, FileSource) and not document.is_image:
        return
    file = file_words(document)
    blob = shell_word(document.blob.path) if isinstance(document.blob, FileSource) else None
    beside = f" --blob {blob}" if blob else ""
    yield ShellStep("everything in the file", Safe(f"vmci show {file}{beside}"))
    yield ShellStep("findings, and what each reader says", Safe(f"vmci check {file}{beside}"))
    yield ShellStep("the bytes at the cursor", Safe(f"vmci hex {file} --at {offset:#x}"))
    if key:
        yield ShellStep("the key under the cursor", Safe(f"vmci explain {shlex.quote(visible(key))}"))
    if document.dump is not None:
        yield ShellStep("the note in guest memory", Safe(f"vmci find {file}"))
        repair = Safe(f"vmci repair {file} -o {shell_word(copy_of(document))}")
        yield ShellStep("every safe fix", conversion(document) if document.is_image else repair)
