"""The command line: made by argparse, and from it help and completion.

Apart from `cli`, because the app opens without it.
"""

from __future__ import annotations

import argparse
from typing import NoReturn

from vmci_tui import __version__
from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.formats.fw_cfg_entry import GDB_COMMAND

TARGETS = ("x86_64", "i386", "aarch64", "arm", "aarch64-be", "arm-be")
"""The guests that `ask` can start: those that have the vmcoreinfo device."""

_WORSE = "worse:READER,...: save though these will refuse"

_HELP = """\
vmci [FILE [BLOB]] opens the app; no FILE: it starts with samples, recent files.
`vmci COMMAND --help` tells more; completion: vmci --print-completion bash

{commands}

exit codes: 0 fine, 1 an error is found (check), a difference (ask), a question
            (saving), 2 usage, 3 unread, 4 not saved, 130 interrupted, 141 pipe
"""


class _Parser(argparse.ArgumentParser):
    """Errors in one line, with a hint."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(visible(message), f"see `{self.prog} --help`")


class _Main(_Parser):
    """Help that fits a screen of 24 lines: one for each command."""

    commands: argparse._SubParsersAction[_Parser]

    def format_help(self) -> str:
        return _HELP.format(
            commands="\n".join(f"  {one.dest:<10} {one.help}" for one in self.commands._get_subactions())
        )


def parser() -> argparse.ArgumentParser:
    """The whole command line; completion and help are made from it."""
    main = _Main(prog="vmci", add_help=False)
    # Both are where everybody looks for them: the lines are for the commands, since all must fit a screen.
    main.add_argument("-h", "--help", action="help", help=argparse.SUPPRESS)
    main.add_argument("--version", action="version", version=f"vmci {__version__}", help=argparse.SUPPRESS)
    main.add_argument("--print-completion", choices=("bash", "zsh", "tcsh"), help=argparse.SUPPRESS)
    commands = main.add_subparsers(dest="command", metavar="COMMAND ...", parser_class=_Parser, prog="vmci")
    main.commands = commands

    show = _command(commands, "show", "container, entry, notes, vmcoreinfo")
    _file(show, blob=True)
    check = _command(commands, "check", "what is wrong, and what each reader says; 1 if it is an error")
    _file(check, blob=True)
    check.add_argument("--for", dest="readers", metavar="READER,...", help="exit code 1 only if one of these refuses")

    find = _command(commands, "find", "the note in guest memory: candidates, best first")
    _file(find)
    find.add_argument("--all", action="store_true", help="look at every byte, not only at page starts")
    find.add_argument("--raw-at", metavar="PADDR", help="FILE is a flat image of the memory from PADDR on")

    change = _command(commands, "set", "edit keys, entry.paddr=0x..., or a kdump's header.phys_base=...")
    _file(change, blob=True)
    change.add_argument("pairs", nargs="*", metavar="KEY=VALUE", help="\\xNN stands for any byte")
    change.add_argument("--delete", action="append", default=[], metavar="KEY", help="take a key out")
    _output(change)

    append = _command(commands, "append", "add or replace the VMCOREINFO note")
    _file(append)
    what = append.add_mutually_exclusive_group(required=True)
    what.add_argument("--note", metavar="NOTE", help="a raw note, or another dump that has one")
    what.add_argument("--text", metavar="TEXT", help="the key=value text")
    what.add_argument(
        "--from-memory",
        nargs="?",
        const="",
        metavar="AT",
        help="the proved note of FILE's memory, or the one there",
    )
    append.add_argument("--verbatim", action="store_true", help="keep an indented TEXT as it is")
    append.add_argument("--raw-at", metavar="PADDR", help="NOTE is a flat image of the memory from PADDR on")
    _output(append)

    strip = _command(commands, "strip", "take the VMCOREINFO note out")
    _file(strip)
    _output(strip)

    mend = _command(commands, "repair", "apply all safe fixes; adopt the proved note from memory")
    _file(mend)
    mend.add_argument("--only", metavar="CODE,...", help="fix only these findings")
    mend.add_argument("--keep-segments", action="store_true", help="do not merge program headers (gdb uses them)")
    mend.add_argument("--keep-flattened", action="store_true", help="leave a flattened file flattened")
    _output(mend, agree=f"PADDR: adopt the candidate there, proved or not; {_WORSE}")

    undo = _command(commands, "undo", "take back the last in-place save")
    _file(undo)
    undo.add_argument("--finish", action="store_true", help="bring a save that was cut short to its end instead")
    undo.add_argument("--force", action="store_true", help="also over what somebody else wrote since, which is shown")
    undo.add_argument("--dry-run", action="store_true", help="with --force: only show it")

    plain = _command(commands, "unflatten", "make a flattened file plain, as `makedumpfile -R` does")
    _file(plain)
    _output(plain, in_place=False)

    dump = _command(commands, "hex", "a hex dump")
    _file(dump)
    where = dump.add_mutually_exclusive_group()
    where.add_argument("--at", metavar="N", help="file offset (default 0)")
    where.add_argument("--paddr", metavar="N", help="guest-physical address")
    dump.add_argument("--len", dest="length", metavar="N", default="256", help="bytes (default 256, at most 1 MiB)")

    new = _command(commands, "new", "hand-craft an entry: vmci new entry -o BLOB")
    new.epilog = f"in gdb, on QEMU (gdb -p PID) or its core, with debug symbols: {GDB_COMMAND}"
    new.add_argument("what", choices=("entry",))
    origin = new.add_mutually_exclusive_group()
    origin.add_argument("--from-gdb", metavar="FILE", help="what gdb printed of QEMU's own state (-: stdin)")
    origin.add_argument("--from-sysfs", metavar="FILE", help="the guest's /sys/kernel/vmcoreinfo, or a copy")
    for option, text in (
        ("--size", "bytes of the region (default 4132: 4 KiB pages)"),
        ("--paddr", "where the note lies (default 0)"),
        ("--guest-format", "0 none, 1 ELF (default)"),
        ("--host-format", "drivers write 0 (default)"),
    ):
        new.add_argument(option, metavar="N", help=text)
    _output(new, in_place=False, agree=None)

    compared = _command(commands, "diff", "two notes, texts, dumps or candidates, key by key")
    for side in "ab":
        compared.add_argument(side, metavar=side.upper(), help="a dump, a note, a text, or DUMP@PADDR")

    meaning = _command(commands, "explain", "what a key means, its base, who reads it")
    meaning.add_argument("key", nargs="?", metavar="KEY[=VALUE]", help="a key of the vmcoreinfo text")
    meaning.add_argument("--search", metavar="WORD", help="the keys that these words stand for")

    asked = _command(commands, "ask", "what a real QEMU does with an entry and a note")
    asked.add_argument("blob", metavar="BLOB", help="the entry: a blob, or NAME.write.json")
    asked.add_argument("note", metavar="NOTE", help="what lies where it says: raw bytes, a dump's note, or a text")
    asked.add_argument("--target", choices=TARGETS, default="x86_64", metavar="GUEST", help=", ".join(TARGETS))
    asked.add_argument("--qemu", metavar="Q", help="the program to ask, or the version to predict by: 7.2 or 10.0")

    predicted = _command(commands, "predict", "what QEMU will do with cases: JSON lines from stdin to stdout")
    predicted.add_argument("--qemu", choices=("7.2", "10.0"), default="7.2", help="the version (default 7.2)")

    bench = _command(commands, "craft", "a tiny dump, its entry and note, with chosen faults")
    bench.add_argument("--list", action="store_true", help="every fault that can be made")
    bench.add_argument("--defect", action="append", default=[], metavar="CODE,...", help="codes or names of --list")
    bench.add_argument("--machine", metavar="M", help="x86_64 (default), i386, aarch64 or s390x")
    bench.add_argument("-o", "--output", metavar="FOLDER", help="where to save it, with a manifest of what is said")
    bench.add_argument("--dry-run", action="store_true", help="write nothing, as without -o")

    taught = _command(commands, "lessons", "learn it step by step, on copies of samples")
    _lessons(taught)
    taught.add_argument("--list", action="store_true", help="print the lessons, each read whole, and open nothing")
    taught.add_argument("--confined", action="store_true", help="open and save nothing outside the lesson's folder")
    served = _command(commands, "serve", "the lessons in a browser, on this machine only")
    _lessons(served)
    served.add_argument("--port", metavar="N", default="8000", help="the port (default 8000)")
    served.add_argument(
        "--sessions", metavar="N", help="at most so many at a time (default: `sessions` of the settings, or 16)"
    )
    return main


def _lessons(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", nargs="?", metavar="NAME", help="begin with this lesson: its name or number")
    command.add_argument("--folder", metavar="DIR", help="a folder of your own lessons")


def _command(commands: argparse._SubParsersAction[_Parser], name: str, text: str) -> _Parser:
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument("--json", action="store_true", help="print JSON")
    return command


def _file(command: argparse.ArgumentParser, blob: bool = False) -> None:
    command.add_argument("file", metavar="FILE", help="a dump (ELF, kdump), a blob, or NAME.write.json")
    if blob:
        command.add_argument("--blob", metavar="BLOB", help="the entry that belongs to the dump")


def _output(command: argparse.ArgumentParser, in_place: bool = True, agree: str | None = _WORSE) -> None:
    where = command.add_mutually_exclusive_group()
    where.add_argument("-o", "--output", metavar="OUT", help="the file to write")
    if in_place:
        where.add_argument("--in-place", action="store_true", help="change FILE itself; `vmci undo FILE` takes it back")
    command.add_argument("--dry-run", action="store_true", help="print the plan and write nothing")
    if agree is not None:
        command.add_argument("--yes", metavar="WHAT", help=agree)
    if in_place:
        command.add_argument(
            "--check-limit", metavar="N", help="bytes of a copy's memory to read back (default 64 GiB)"
        )
