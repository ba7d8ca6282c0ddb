"""Run the command line. Data goes to stdout, messages to stderr; textual is imported only to open the app."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from importlib import import_module
from typing import Final

from vmci_tui.cli.commands import GROUPS
from vmci_tui.cli.streams import flush_output, give_up_output, on_terminal, open_closed, say
from vmci_tui.common import internal_errors
from vmci_tui.common.errors import Cancelled, OpenError, UsageError, VmciError
from vmci_tui.common.safe_text import safe, visible
from vmci_tui.common.signals import changes_made, install_handlers
from vmci_tui.layers.file import reason

_MODULES: Final = {
    **dict.fromkeys(("set", "append", "strip", "undo", "new"), "edit"),
    "log": "kernel.log", "cpus": "kernel.cpus", "symbols": "kernel.symbols", "prove": "kernel.prove",
}  # fmt: skip
"""The modules of commands that share one, or are in a folder below the others."""
COMMANDS: Final = tuple(name for names in GROUPS.values() for name in names)
_LISTS: Final = {"set": "pairs", "check": "files", "symbols": "items"}
"""Arguments of which there are any number."""
_OF_AN_IMAGE: Final = ("--map", "--snapshot", "--blocks", "--no-stop")
"""Options that may come before the file which the app opens."""
_BROKEN_PIPE: Final = 141
"""The exit code that a shell reports for a program killed by a closed pipe (128 + SIGPIPE)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code. Turn every error into one line on stderr.

    Without `argv` this is a process of its own: until a command runs, or the app paints, nothing that is made is
    garbage, and it need not be searched for garbage later.
    """
    if argv is None:
        gc.disable()
    arguments = list(sys.argv[1:] if argv is None else argv)
    open_closed()
    install_handlers()
    try:
        try:
            code = _run(arguments)
        except SystemExit:  # argparse has printed its help
            sys.stdout.flush()
            raise
        sys.stdout.flush()
        return code
    except VmciError as error:
        say(f"vmci: {safe(str(error))}")
        flush_output()
        return error.exit_code
    except KeyboardInterrupt:
        say(f"vmci: interrupted; {changes_made() or 'nothing was changed'}")
        give_up_output()  # the interrupted call may have been a write to stdout
        return Cancelled.exit_code
    except BrokenPipeError:
        if changes_made():
            say(f"vmci: the reader of the output is gone; {changes_made()}")
        give_up_output()
        return _BROKEN_PIPE
    except OSError as error:  # only stdout can fail here: file errors are reported where they occur
        say("; ".join(filter(None, (f"vmci: cannot write the output: {reason(error)}", changes_made()))))
        give_up_output()
        return 4
    except MemoryError:
        say("vmci: out of memory while reading the file header")
        return OpenError.exit_code
    except Exception as error:  # a bug in vmci: one line, and a log to send
        internal_errors.record(error)
        _print_internal_errors()
        if changes_made():
            say(f"vmci: {changes_made()}")
        flush_output()
        return OpenError.exit_code


def _run(arguments: list[str]) -> int:
    first = arguments[0] if arguments else None
    if first is None or (first not in COMMANDS and not first.startswith("-")) or first.startswith(_OF_AN_IMAGE):
        if first is not None and not first.startswith("-") and not os.path.lexists(first):
            _refuse_misspelt(first)
        return _open_app(arguments)
    from vmci_tui.cli.arguments import parser

    if first != "diff" and any("@" in word for word in arguments):  # its sides are DUMP@PADDR
        from vmci_tui.opening.raw_names import joined_parts

        arguments = joined_parts(arguments)
    options, rest = parser().parse_known_args(arguments)
    if options.command in _LISTS and not any(item.startswith("-") for item in rest):
        # argparse accepts a list in one place only; users write it after options too.
        named = _LISTS[options.command]
        setattr(options, named, [*getattr(options, named), *rest])
    elif rest:
        raise UsageError(f"unrecognized arguments: {visible(' '.join(rest))}", "see `vmci --help`")
    if options.print_completion:
        import shtab

        print(shtab.complete(parser(), shell=options.print_completion))
        return 0
    if options.command is None:
        raise UsageError("missing command", "see `vmci --help`")
    name = _MODULES.get(options.command, options.command)
    command = import_module(f"vmci_tui.cli.commands.{name}")
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
    code: int = command.run(options)
    _print_internal_errors()
    return code


def _refuse_misspelt(word: str) -> None:
    """Raise UsageError if a word that is not a file is nearly a command."""
    import difflib

    if close := difflib.get_close_matches(word, COMMANDS, 1):
        raise UsageError(f"{visible(word)} is neither a file nor a command", f"did you mean `vmci {close[0]}`?")


def _print_internal_errors() -> None:
    """Print each internal error in one line, with the name of its log."""
    if not internal_errors.recorded:
        return
    from vmci_tui.common.error_log import log_error

    for failed in internal_errors.recorded:
        kept = log_error(failed)
        say(f"vmci: {failed}" + (f"; to report it, send {kept}" if kept else ""))


def _open_app(arguments: list[str]) -> int:
    files, choice = arguments, None
    if any("@" in item or item.startswith("-") for item in arguments):
        from vmci_tui.cli.app_arguments import app_arguments

        files, choice = app_arguments(arguments)
    if len(files) > 2:
        raise UsageError("the app opens one dump and one entry at most", "use vmci [FILE [BLOB]], or see `vmci --help`")
    from vmci_tui.cli.output import shown_progress
    from vmci_tui.opening.open_file import open_document

    blob = next(iter(files[1:]), None)
    document = open_document(files[0], blob, choice, shown_progress(), pages=True) if files else None
    with document or nullcontext():
        if not on_terminal():
            raise UsageError("the app needs a terminal", "in scripts use vmci show FILE or vmci check FILE --json")
        from vmci_tui.tui.app import VmciApp

        app = VmciApp(document)
        app.run()
    if app.return_code == Cancelled.exit_code:
        raise KeyboardInterrupt
    return app.return_code or 0
