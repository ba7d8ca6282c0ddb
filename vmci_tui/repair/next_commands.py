"""The next commands for a dump: for each reader that accepts it the exact command, tried on real dumps.

Only useful ones are offered: crash and makedumpfile (of x86-64, like their verdicts) read no other machine,
and crash opens no session without the kernel's vmlinux.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Container, Iterator
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.containers.elf.dump import ElfDump
from vmci_tui.document.document import Document
from vmci_tui.findings import Finding
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.findings.judgement import Judgement
from vmci_tui.formats.entry_writes_json import ENDING, is_named_so
from vmci_tui.formats.fw_cfg_entry import EntryHistory
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.knowledge.debug_packages import PLACEHOLDER, build_id, garbage_build_id, vmlinux_of
from vmci_tui.knowledge.makedumpfile_releases import need_of
from vmci_tui.layers.file import FileSource
from vmci_tui.machines.lookup import machine_facts
from vmci_tui.opening.open_file import names_vm
from vmci_tui.readers.libkdumpfile.guest_rules import LACKS_MACHINE
from vmci_tui.readers.rule import Verdict
from vmci_tui.readers.verdicts import NAMES, Verdicts
from vmci_tui.readers.version import numbers_of

_OF_X86: Final = frozenset(("crash", "makedumpfile"))
"""Programs that read only dumps of the machine they are built for."""
_PRINT_ONLY: Final = frozenset(("readelf", "eu-readelf"))
"""Programs that print the note, and read no memory by it."""
_NAMES_MACHINE: Final = (0, 0, 27)
"""The first version of drgn with --architecture."""
_READS_DWARF_5: Final = (8,)
"""The first version of crash whose gdb reads it; kernels since 5.18 are built with it."""


class NextCommand(NamedTuple):
    """A command, ready for the shell, and what it is for."""

    reader: str
    """The program."""
    command: Safe
    why: Safe


def next_commands(
    judgement: Judgement, path: str | None = None, readers: Container[str] = NAMES
) -> tuple[NextCommand, ...]:
    """Return the next commands, best first; `path` is a copy that is or will be saved, None the open file.

    Only these `readers` are considered.
    """
    document = judgement.document
    if document.dump is None:
        return ()
    judged = judgement.now if path is None else judgement.after
    verdicts = {name: verdict for name, verdict in judged.items() if name in readers}
    wrong = next((finding for finding in judgement.found if catalogue()[finding.code].foreign_note), None)
    usable = {name: v for name, v in verdicts.items() if wrong is None or name in _PRINT_ONLY}
    if path is not None:
        return (*_steps(document, usable, path), *_kernel(judgement, shell_word(path)))
    path, words = _path(document), file_words(document)
    if document.is_image:
        after = {name: v for name, v in judgement.after.items() if name in usable}
        return (_convert(document), *_steps(document, after, copy_of(document)), *_kernel(judgement, words))
    repaired = tuple(_repair(judgement, verdicts, path, wrong))
    if wrong is not None and not repaired:
        repaired = (_append(path),)
    return (*repaired, *_steps(document, usable, path), *_kernel(judgement, words))


def _convert(document: Document) -> NextCommand:
    """Return how a memory image becomes a dump; where only the user can say the order of its blocks, it is asked."""
    why = "writes the ELF dump that QEMU would have written, which the programs below read"
    if blocks := _unplaced(document):
        why += f"; NAME,... stands for {', '.join(blocks)} in the order of their addresses"
    return NextCommand("vmci", conversion(document), Safe(why))


def _unplaced(document: Document) -> tuple[str, ...]:
    return document.dump.unplaced if isinstance(document.dump, ElfDump) else ()


def _kernel(judgement: Judgement, file: Safe) -> Iterator[NextCommand]:
    """Yield what vmci itself prints of a kernel whose own tables are in memory; `file`: its words in a shell."""
    if judgement.lines is not None:
        yield NextCommand("vmci", Safe(f"vmci log {file}"), Safe("prints the kernel's log, as dmesg does"))
        why = "prints where each CPU was in the kernel, and which one panicked"
        yield NextCommand("vmci", Safe(f"vmci cpus {file} --stack"), Safe(why))
        why = "prints what the kernel's own tables say of each line of the note"
        yield NextCommand("vmci", Safe(f"vmci prove {file}"), Safe(why))


def _wanted(document: Document, verdicts: Verdicts) -> Verdicts:
    """Return the readers of a dump of this machine."""
    ours = document.dump is not None and document.dump.machine == "x86_64"
    return {name: v for name, v in verdicts.items() if (ours or name not in _OF_X86) and name != "qemu"}


def _append(path: str) -> NextCommand:
    """Return how to give a dump the note of its own kernel."""
    command = f"vmci append {shell_word(path)} --note NOTE -o {shell_word(copy_name(path))}"
    why = "the note is of another kernel, whose vmlinux fits no session; NOTE stands for another dump of this guest"
    return NextCommand("vmci", Safe(command), Safe(f"{why}, or its note"))


def _repair(judgement: Judgement, verdicts: Verdicts, path: str, wrong: Finding | None) -> Iterator[NextCommand]:
    """Yield a repair of the open file if it helps readers, or puts back the right note, and changes the file."""
    # What drgn refuses over libkdumpfile alone is libkdumpfile's own fault, or eu-readelf refuses it too.
    wanted = _wanted(judgement.document, verdicts)
    refusing = [name for name, v in wanted.items() if v.accepts is False and name != "libkdumpfile"]
    lied_to = {c.reader for f in judgement.found if catalogue()[f.code].group == "addresses" for c in f.readers}
    blind = [name for name, v in verdicts.items() if name in lied_to and v.state == "opens"]
    note = judgement.document.state.note
    mistaken = any(item.fix is not None and catalogue()[item.code].safe == "proved" for item in judgement.found)
    if not (refusing or blind or mistaken or wrong is not None):
        return
    from vmci_tui.repair.safe_fixes import changes

    if changes(judgement):
        command = Safe(f"vmci repair {file_words(judgement.document)} -o {shell_word(copy_of(judgement.document))}")
        also = "" if note is not None else ", and with the note from its memory if one is found"
        all_refusing = [name for name, v in verdicts.items() if v.accepts is False and _may_read(judgement, name)]
        so_far = [f"{_do(all_refusing, 'refuse')} the current file"] if refusing else []
        so_far += [f"{_do(blind, 'read')} no kernel memory of the current file"] if blind else []
        so_far += [f"the current note is wrong ({wrong.code})"] if wrong is not None else []
        so_far += ["memory contradicts lines of the current note"] if mistaken else []
        yield NextCommand("vmci", command, Safe(f"writes a copy with every safe fix{also}; {'; '.join(so_far)}"))


def _may_read(judgement: Judgement, name: str) -> bool:
    """Return whether a reader of dumps reads files of this kind and machine."""
    foreign = (item for item in judgement.found if item.code == "C17" or catalogue()[item.code].group == "foreign")
    return name != "qemu" and not any(impact.reader == name for item in foreign for impact in item.readers)


def _do(readers: list[str], verb: str) -> str:
    """Return who does what: `drgn refuses`, `crash, drgn refuse`."""
    return f"{', '.join(readers)} {verb}{'s' if len(readers) == 1 else ''}"


def _steps(document: Document, verdicts: Verdicts, path: str) -> Iterator[NextCommand]:
    text = document.state.vmcoreinfo
    if text is not None and any(verdicts[name].accepts for name in ("crash", "drgn") if name in verdicts):
        yield from _debuginfod(text)
    for name, verdict in _wanted(document, verdicts).items():
        if verdict.accepts or (name == "drgn" and _lacks_machine(verdict)):
            yield from _of_reader(verdict, document, text, path)


def _lacks_machine(verdict: Verdict) -> bool:
    """Return whether only the machine is missing: QEMU's kdump files lack it, drgn accepts them with --architecture."""
    lacks = verdict.decisive is not None and verdict.decisive.rule.name in LACKS_MACHINE
    return lacks and verdict.reader.numbers >= _NAMES_MACHINE


def _of_reader(verdict: Verdict, document: Document, text: Vmcoreinfo | None, path: str) -> Iterator[NextCommand]:
    file, name = shell_word(path), verdict.reader.name
    if name == "crash" and text is not None:
        vmlinux = vmlinux_of(text)
        stands = f"{PLACEHOLDER} stands for" if vmlinux.path == PLACEHOLDER else "its vmlinux is in"
        old = "" if verdict.reader.numbers >= _READS_DWARF_5 else "; crash before 8.0 reads no vmlinux with DWARF 5"
        why = _warned(f"starts a session; {stands} {vmlinux.source}{old}", text)
        if verdict.state != "opens":
            yield NextCommand(name, Safe(f"crash {vmlinux.path} {file}"), why)
        yield NextCommand(name, Safe(f"crash --osrelease {file}"), Safe("prints only the release; needs no vmlinux"))
    elif name == "drgn":
        dump = document.dump
        named = machine_facts(dump.machine).drgn.name if dump is not None and dump.kind == "kdump" else None
        knows = verdict.reader.numbers >= _NAMES_MACHINE
        option = f" --architecture {named}" if named is not None and knows else ""
        why = _warned("starts a Python session; finds the vmlinux by itself", text)
        yield NextCommand(name, Safe(f"drgn{option} -c {file}"), why)
    elif name == "libkdumpfile" and document.container == "elf":
        yield NextCommand(name, Safe(f"DRGN_USE_LIBKDUMPFILE_FOR_ELF=1 drgn -c {file}"), Safe("uses libkdumpfile"))
    elif name == "makedumpfile":
        small, log = (shell_word(f"{_stem(path)}-{what}") for what in ("small.kdump", "dmesg.txt"))
        yield NextCommand(
            name, Safe(f"makedumpfile --dump-dmesg {file} {log}"), Safe("writes the kernel's log beside the dump")
        )
        # A kernel that is too new for this version: it would leave out pages in use (T24).
        if text is None or need_of(text.osrelease or b"", numbers_of(verdict.reader.version)) is None:
            yield NextCommand(
                name, Safe(f"makedumpfile -l -d 31 {file} {small}"), Safe("copies all but free and user pages")
            )
    elif name == "readelf":
        yield NextCommand(name, Safe(f"readelf -nW {file}"), Safe("prints the notes as hex"))
    elif name == "eu-readelf":
        yield NextCommand(name, Safe(f"eu-readelf -n {file}"), Safe("prints the notes, and the text line by line"))


def _debuginfod(text: Vmcoreinfo) -> Iterator[NextCommand]:
    number = build_id(text)
    if number is not None and garbage_build_id(text.osrelease or b"") is None:
        why = f"fetches the vmlinux from a server in DEBUGINFOD_URLS that has /buildid/{number}/debuginfo"
        yield NextCommand("debuginfod", Safe(f"debuginfod-find debuginfo {number}"), Safe(why))


def _warned(why: str, text: Vmcoreinfo | None) -> Safe:
    """Append a warning if the kernel's BUILD-ID is garbage."""
    kernel = garbage_build_id(text.osrelease or b"") if text is not None and text.all(b"BUILD-ID") else None
    return Safe(why if kernel is None else f"{why}; do not look for it by BUILD-ID, which is garbage in {kernel}")


def file_words(document: Document) -> Safe:
    """Return the words of a command line that open the file as it is open here."""
    words = source_words(document)
    stops = not document.runs or document.opened_as is None or document.opened_as.stop
    return words if stops else Safe(f"{words} --no-stop")


def source_words(document: Document) -> Safe:
    """Return the words of a command line that name the open file, with what is said of an image."""
    opened_as = document.opened_as
    if opened_as is None or isinstance(document.source, FileSource):
        return shell_word(_path(document))
    words = [shell_word(part) for part in opened_as.name.split("\0")]
    if opened_as.map is not None:
        words.append(Safe(f"--map {shell_word(opened_as.map)}"))
    if opened_as.snapshot is not None:
        words.append(Safe(f"--snapshot {shell_word(opened_as.snapshot)}"))
    if opened_as.blocks:
        words.append(Safe(f"--blocks {shell_word(','.join(opened_as.blocks))}"))
    return Safe(" ".join(words))


def _path(document: Document) -> str:
    return document.path or document.name


def copy_of(document: Document, mark: str = "fixed") -> str:
    """Return the name of a copy of the open file; that of a memory image is a dump."""
    if not document.is_image or document.opened_as is None:
        return copy_name(_path(document), mark)
    first = document.opened_as.name.split("\0")[0]
    if names_vm(first):  # the dump does not belong beside the socket
        first = os.path.basename(first.partition(":")[2]) or "vm"
    return f"{_stem(first)}{'' if mark == 'fixed' else f'-{mark}'}.elf"


def conversion(document: Document) -> Safe:
    """Return the command that makes a dump of a memory image or of a running VM."""
    blocks = " --blocks NAME,..." if _unplaced(document) else ""
    return Safe(f"vmci convert {source_words(document)}{blocks} -o {shell_word(copy_of(document))}")


def copy_name(path: str, mark: str = "fixed") -> str:
    """Return the name of a repaired copy: in the same folder, with `-fixed`, or another mark, before the ending."""
    stem = _stem(path)
    return f"{stem}-{mark}{path[len(stem) :]}"


def entry_copy_name(path: str, history: EntryHistory, mark: str = "fixed") -> str:
    """Return the name of a copy of an entry: a blob, or `NAME.write.json` for writes that a blob would lose."""
    listed = is_named_so(path)
    stem = path.removesuffix(".json").removesuffix(".write") if listed else _stem(path)
    if history.needs_list:
        return f"{stem}{f'-{mark}' * listed}{ENDING}"
    if listed:
        return f"{stem}.entry"
    return path if os.path.basename(path) == "new.entry" else copy_name(path, mark)


def _stem(path: str) -> str:
    return os.path.splitext(path)[0]


def shell_word(path: str) -> Safe:
    """Quote a file name as one word of a command line: safe to show, and read back unchanged.

    Bytes that are not printable ASCII are written as bash and zsh read them: $'\\x1b'.
    """
    if path.startswith("-"):
        path = f"./{path}"
    if path.isascii() and path.isprintable():
        return Safe(shlex.quote(path))
    return Safe("$'" + visible(path).replace("'", "\\'") + "'")
