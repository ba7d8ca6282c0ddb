"""The argument parser of all commands; help, completion and the manual page are made from it.

The app opens without it.
"""

from __future__ import annotations

import argparse
from typing import Final, NoReturn

from vmci_tui import __version__
from vmci_tui.cli.commands import GROUPS
from vmci_tui.cli.examples import epilog
from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import visible

TARGETS = ("x86_64", "i386", "aarch64", "arm", "aarch64-be", "arm-be")
"""Guests that `ask` can start: the machines that have the vmcoreinfo device."""

_WORSE = "worse:READER,...: save although these will refuse"

_HELP = """\
Start here: vmci check FILE. App: vmci [FILE [BLOB]]. Help: vmci COMMAND --help
exit codes: 0 success, 1 an error or a question, 2 usage, 3 unread, 4 not saved
{commands}
"""


_NAMED = ("cut", "serve")
"""Commands that the row of another one names: a screen has 24 lines."""


class _Parser(argparse.ArgumentParser):
    """Report an error in one line, with a hint."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(visible(message), f"see `{self.prog} --help`")


class _MainParser(_Parser):
    """Print help that fits a screen of 24 lines: one line a command."""

    commands: argparse._SubParsersAction[_Parser]

    def format_help(self) -> str:
        words = {one.dest: one.help for one in self.commands._get_subactions()}
        rows = (
            f"{'' if at else group:<7} {name:<10} {words[name]}"
            for group, names in GROUPS.items()
            for at, name in enumerate(names)
            if name not in _NAMED
        )
        return _HELP.format(commands="\n".join(rows))


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    main = _MainParser(prog="vmci", add_help=False)
    # Hidden from the listing to keep it within 24 lines.
    main.add_argument("-h", "--help", action="help", help=argparse.SUPPRESS)
    main.add_argument("--version", action="version", version=f"vmci {__version__}", help=argparse.SUPPRESS)
    main.add_argument("--print-completion", choices=("bash", "zsh", "tcsh"), help=argparse.SUPPRESS)
    commands = main.add_subparsers(dest="command", metavar="COMMAND ...", parser_class=_Parser, prog="vmci")
    main.commands = commands

    show = _command(commands, "show", "kernel, machine, CPUs; entry, notes, memory; --keys: the text")
    show.usage = "vmci show FILE [OPTION ...]"
    _file(show, _READ + _ENTRY, blob=True)
    _no_stop(show)
    show.add_argument("--keys", action="store_true", help="also the text of the note: all keys with their values")
    show.add_argument("--kernel", action="store_true", help="also panic, uptime and taint, by the kernel in memory")
    show.add_argument("--tree", action="store_true", help="headers, notes and registers field by field, with offsets")
    show.add_argument("--qtest", action="store_true", help="the guest's writes to the entry as C for a qtest of QEMU")
    check = _command(commands, "check", "findings, and each reader's verdict; exit code 1 on an error")
    check.usage = "vmci check FILE ... [OPTION ...]"
    check.add_argument(
        "files", nargs="+", metavar="FILE", help="dumps, saved VMs, images, RAW@PADDR, qmp:SOCKET, entries"
    )
    _image(check)
    _no_stop(check)
    check.add_argument("--blob", metavar="BLOB", help="the entry (16 bytes) that belongs to the dump")
    check.add_argument("--all-readers", action="store_true", help="also the verdicts of further programs, such as gdb")
    _readers(check)
    check.add_argument("--for", dest="readers", metavar="READER,...", help="exit code 1 if one of these refuses")

    check.add_argument("--report", metavar="PAGE", help="also write the check as a new file in Markdown, for a ticket")

    find = _command(commands, "find", "search guest memory for the note: candidates, best first")
    _file(find, _READ)
    _no_stop(find)
    find.add_argument("--all", action="store_true", help="search every byte, not only page starts")
    find.add_argument("--raw-at", metavar="PADDR", help="FILE is a flat memory image that begins at PADDR")

    log = _command(commands, "log", "print the kernel's log, as dmesg does")
    _file(log, _READ)
    _no_stop(log)
    log.add_argument("--level", metavar="LEVEL,...", help="only these, as err,warn; err+ is err and worse")
    log.add_argument("--callers", action="store_true", help="also the task (T) or CPU (C) that wrote each line")
    processors = _command(commands, "cpus", "where each CPU was, its registers, which one panicked")
    _file(processors, _READ)
    _no_stop(processors)
    processors.add_argument("--stack", action="store_true", help="the return addresses on each CPU's kernel stack")
    processors.add_argument("--registers", action="store_true", help="all registers of each CPU")

    lines = _command(commands, "prove", "which lines of the note are true; exit code 1 if one is false")
    _file(lines, _READ)
    _no_stop(lines)

    names = _command(commands, "symbols", "the kernel's symbols from memory, as System.map has them")
    _file(names, _READ)
    _no_stop(names)
    names.add_argument("items", nargs="*", metavar="NAME|ADDRESS", help="only these; an address: its symbol+offset")

    change = _command(commands, "set", "edit keys, entry.paddr=0x..., a kdump's header.phys_base=...")
    _file(change, _COPIED + _ENTRY, blob=True)
    change.usage = "vmci set FILE KEY=VALUE ... (-o OUT | --in-place) [OPTION ...]"
    change.add_argument("pairs", nargs="*", metavar="KEY=VALUE", help="\\xNN in a value is that byte")
    change.add_argument("--delete", action="append", default=[], metavar="KEY", help="remove a key")
    _output(change)

    append = _command(commands, "append", "add or replace the VMCOREINFO note")
    append.usage = "vmci append FILE (--note NOTE | --text TEXT | --from-... [AT]) -o OUT"
    _file(append, _COPIED, listed=False)  # its help is as long as a screen
    what = append.add_mutually_exclusive_group(required=True)
    what.add_argument("--note", metavar="NOTE", help="a raw note, or another dump with a note")
    what.add_argument("--text", metavar="TEXT", help="a file with the KEY=VALUE text")
    what.add_argument(
        "--from-memory", nargs="?", const="", metavar="AT", help="the proved note in FILE's memory, or that at AT"
    )
    what.add_argument("--from-kernel", action="store_true", help="a note made from the kernel's own tables in memory")
    append.add_argument("--verbatim", action="store_true", help="keep the indentation of TEXT")
    append.add_argument("--raw-at", metavar="PADDR", help="NOTE is a flat memory image that begins at PADDR")
    _output(append)

    strip = _command(commands, "strip", "remove the VMCOREINFO note")
    _file(strip, _COPIED)
    _output(strip)

    fixed = _command(commands, "repair", "apply all safe fixes; restore the proved note from memory")
    _file(fixed, _COPIED + _ENTRY, listed=False)  # its help is as long as a screen
    fixed.usage = "vmci repair FILE (-o OUT | --in-place) [OPTION ...]"
    fixed.add_argument("--only", metavar="CODE,...", help="fix only these findings")
    fixed.add_argument("--keep-segments", action="store_true", help="do not merge program headers (gdb uses them)")
    _readers(fixed)
    fixed.add_argument("--keep-flattened", action="store_true", help="keep a flattened file flattened")
    _output(fixed, agree=f"PADDR: use the candidate there, proved or not; kernel: make one; {_WORSE}")

    undo = _command(commands, "undo", "undo the last in-place save")
    undo.add_argument("file", metavar="FILE", help="the file that was saved in place")
    undo.add_argument("--finish", action="store_true", help="complete an interrupted save instead")
    undo.add_argument("--force", action="store_true", help="overwrite later changes by other programs, and show them")
    undo.add_argument("--dry-run", action="store_true", help="with --force: only show them")

    plain = _command(commands, "unflatten", "write a flattened file as a plain one, like `makedumpfile -R`")
    plain.add_argument("file", metavar="FILE", help="a flattened dump")
    _output(plain, in_place=False)

    image = _command(commands, "convert", "make an ELF dump of an image or a VM; cut: make a small one")
    image.usage = "vmci convert SOURCE -o OUT.elf [OPTION ...]"
    image.add_argument("file", metavar="SOURCE", help="saved VM, image, RAW@PADDR (several), qmp:SOCKET, dump")
    _image(image, blocks=True)
    _new_file(image)
    image.add_argument("--report", metavar="PAGE", help="also write what was done, and sha256 sums (Markdown)")
    image.add_argument("--yes", metavar="WHAT", help="PADDR: use the note there, proved or not; stop: a VM may stop")
    image.add_argument("--check-limit", metavar="N", help="most bytes of memory to read back (default 64 GiB)")
    _readers(image)

    part = _command(commands, "cut", "write a small dump of only the pages that proof, log and readers read")
    part.usage = "vmci cut SOURCE -o OUT.elf [OPTION ...]"
    part.add_argument("file", metavar="SOURCE", help="a dump, saved VM, image, RAW@PADDR, qmp:SOCKET")
    _image(part)
    _no_stop(part)
    _new_file(part)
    part.add_argument("--keep", metavar="WHAT,...", help="of note,proof,cpus,log (the default), symbols,types")
    part.add_argument("--no-log", action="store_true", help="leave out the kernel's log")
    part.add_argument("--mask", action="store_true", help="make every byte zero that nothing read")
    part.add_argument("--for", dest="programs", metavar="READER,...", help="keep all that makedumpfile reads, too")
    part.add_argument("--report", metavar="PAGE", help="also write what is kept, and sha256 sums (Markdown)")
    _readers(part)

    dump = _command(commands, "hex", "print a hex dump")
    _file(dump, _READ + _ENTRY)
    _no_stop(dump)
    where = dump.add_mutually_exclusive_group()
    where.add_argument("--at", metavar="N", help="file offset (default 0)")
    where.add_argument("--paddr", metavar="N", help="guest-physical address; pointers into the kernel as symbols")
    where.add_argument("--vaddr", metavar="N", help="virtual address of the kernel, or SYMBOL, or SYMBOL+N")
    dump.add_argument("--len", dest="length", metavar="N", default="256", help="bytes (default 256, at most 1MiB)")

    new = _command(commands, "new", "create an entry: vmci new entry -o BLOB")
    new.usage = "vmci new entry [OPTION ...] -o BLOB"
    new.add_argument("what", choices=("entry",))
    origin = new.add_mutually_exclusive_group()
    origin.add_argument("--from-gdb", metavar="FILE", help="gdb's output for QEMU's own state (-: stdin)")
    origin.add_argument("--from-sysfs", metavar="FILE", help="the guest's /sys/kernel/vmcoreinfo, or a copy")
    for option, text in (
        ("--size", "bytes of the region, as 4132 (the default) or 1MiB"),
        ("--paddr", "address of the note (default 0)"),
        ("--guest-format", "0 none, 1 ELF (default)"),
        ("--host-format", "drivers write 0 (default)"),
    ):
        new.add_argument(option, metavar="N", help=text)
    _output(new, in_place=False, agree=None)

    compared = _command(commands, "diff", "compare two notes, texts, dumps or candidates, key by key")
    for side in "ab":
        compared.add_argument(side, metavar=side.upper(), help="a dump, a note, a text, or DUMP@PADDR")

    meaning = _command(commands, "explain", "what a key means, its number base, which readers use it")
    meaning.usage = "vmci explain KEY[=VALUE] [FILE] | ADDRESS FILE | --search WORD"
    meaning.add_argument("key", nargs="?", metavar="KEY[=VALUE]", help="a key of the text; ADDRESS: of FILE's kernel")
    meaning.add_argument("file", nargs="?", metavar="FILE", help="a dump: also what its memory says")
    meaning.add_argument("--search", metavar="WORD", help="find keys by words of their meaning")
    _image(meaning, blocks=True)
    _no_stop(meaning)

    asked = _command(commands, "ask", "run a real QEMU on an entry and a note, and compare")
    asked.add_argument("blob", metavar="BLOB", help="the entry: a blob, or NAME.write.json")
    asked.add_argument("note", metavar="NOTE", help="the bytes at its paddr: raw bytes, a dump's note, or a text")
    asked.add_argument("--target", choices=TARGETS, default="x86_64", metavar="GUEST", help=", ".join(TARGETS))
    asked.add_argument("--qemu", metavar="Q", help="the QEMU to run, or the version to predict: 7.2, 10.0 or 11.1")

    _readers(asked)

    predicted = _command(commands, "predict", "what QEMU will do: JSON lines from stdin to stdout")
    predicted.add_argument("--qemu", metavar="VERSION", help="as --reader qemu=VERSION (default 7.2)")
    _readers(predicted)

    bench = _command(commands, "craft", "create a tiny dump, its entry and note, with chosen faults")
    bench.add_argument("--list", action="store_true", help="list all faults")
    bench.add_argument("--defect", action="append", default=[], metavar="CODE,...", help="codes or names of --list")
    bench.add_argument("--machine", metavar="M", help="x86_64 (default), i386, aarch64 or s390x")
    bench.add_argument("-o", "--output", metavar="FOLDER", help="folder to save it in, with a manifest of findings")
    bench.add_argument("--dry-run", action="store_true", help="write nothing, like leaving out -o")

    teaching = _command(commands, "lessons", "step-by-step lessons on copies of samples; serve: in browsers")
    _lessons(teaching)
    teaching.add_argument("--list", action="store_true", help="check and list the lessons without opening the app")
    teaching.add_argument("--confined", action="store_true", help="refuse files outside the lesson's folder")
    served = _command(commands, "serve", "serve the lessons to browsers on this machine")
    _lessons(served)
    served.add_argument("--port", metavar="N", default="8000", help="the port (default 8000)")
    served.add_argument(
        "--sessions", metavar="N", help="most sessions at a time (default: `sessions` in the settings, or 16)"
    )
    return main


def app_parser() -> argparse.ArgumentParser:
    """Return the parser of the app's own command line, which names no command."""
    app = _Parser(prog="vmci", add_help=False, allow_abbrev=False)
    app.add_argument("files", nargs="*")
    _image(app)
    _no_stop(app)
    return app


def _lessons(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", nargs="?", metavar="NAME", help="start with this lesson (name or number)")
    command.add_argument("--folder", metavar="DIR", help="a folder of your own lessons")


def _command(commands: argparse._SubParsersAction[_Parser], name: str, text: str) -> _Parser:
    command = commands.add_parser(name, help=text, description=text, epilog=epilog(name))
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.add_argument("--json", action="store_true", help="print JSON")
    return command


_COPIED: Final = "a dump, saved VM, image or RAW@PADDR"
"""What FILE is where a copy of it is saved: not a VM, of which only `convert` and `cut` write a dump."""
_READ: Final = "a dump, saved VM, image, RAW@PADDR, qmp:SOCKET, virsh:VM"
"""What FILE is where its memory is read."""
_ENTRY: Final = ", an entry"


def _file(command: argparse.ArgumentParser, what: str, blob: bool = False, listed: bool = True) -> None:
    command.add_argument("file", metavar="FILE", help=what)
    if blob:
        command.add_argument("--blob", metavar="BLOB", help="the entry (16 bytes) that belongs to the dump")
    _image(command, listed)


OF_AN_IMAGE: Final = {
    "--map": "IOMEM is the /proc/iomem of a raw image",
    "--snapshot": "of a qcow2 disk: the state of the VM in that snapshot",
    "--blocks": "of a saved VM: its memory blocks, by address",
}
"""The options about memory images; the manual has them also where a command's help has no room for them."""


def _image(command: argparse.ArgumentParser, listed: bool = True, blocks: bool = False) -> None:
    """Add what an image does not say itself; `listed`: the help has room for it."""
    for option, metavar, shown in (
        ("--map", "IOMEM", listed),
        ("--snapshot", "NAME", listed),
        ("--blocks", "NAME,...", blocks),
    ):
        command.add_argument(option, metavar=metavar, help=OF_AN_IMAGE[option] if shown else argparse.SUPPRESS)


def _new_file(command: argparse.ArgumentParser) -> None:
    command.add_argument("-o", "--output", metavar="OUT", help="the file to write; it must not exist")
    command.add_argument("--dry-run", action="store_true", help="print the plan and write nothing")


def _no_stop(command: argparse.ArgumentParser) -> None:
    command.add_argument("--no-stop", action="store_true", help="of a VM: leave out what stops it for a millisecond")


def _readers(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--reader",
        action="append",
        default=[],
        metavar="READER=V",
        help="judge as crash=8.0.6 does; `installed`: as yours do",
    )


def _output(command: argparse.ArgumentParser, in_place: bool = True, agree: str | None = _WORSE) -> None:
    where = command.add_mutually_exclusive_group()
    where.add_argument("-o", "--output", metavar="OUT", help="the file to write")
    if in_place:
        where.add_argument("--in-place", action="store_true", help="change FILE itself; `vmci undo FILE` undoes it")
    command.add_argument("--dry-run", action="store_true", help="print the plan and write nothing")
    if agree is not None:
        command.add_argument("--yes", metavar="WHAT", help=agree)
    if in_place:
        command.add_argument("--check-limit", metavar="N", help="most bytes of a copy to read back (default 64 GiB)")
