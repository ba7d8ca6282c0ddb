"""What a shell user calls. Data goes to stdout, talk to stderr; textual is imported only to open the app."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from vmci_tui.core.errors import Cancelled, UsageError, VmciError
from vmci_tui.core.text import visible

COMMANDS = (
    *("show", "check", "find", "set", "append", "strip", "repair", "undo", "unflatten", "hex", "new"),
    *("diff", "ask", "predict", "explain", "craft", "lessons", "serve"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code. The one edge where any error becomes a line."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except VmciError as error:
        print(f"vmci: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("vmci: interrupted; nothing was changed", file=sys.stderr)
        return Cancelled.exit_code
    except BrokenPipeError:
        # The reader of our output is gone: say nothing, and keep the interpreter from flushing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # of stdout: every file of the user's is read and written by those who say what is wrong
        print(f"vmci: cannot write the output: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 4
    except MemoryError:
        print("vmci: not enough memory for this file's head", file=sys.stderr)
        return 3


def _terminate(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _run(arguments: list[str]) -> int:
    first = arguments[0] if arguments else None
    if first is None or (first not in COMMANDS and not first.startswith("-")):
        return _open_app(arguments)
    from vmci_tui.arguments import parser  # argparse takes 8 ms, which the app needs for its first picture

    options, rest = parser().parse_known_args(arguments)
    if options.command == "set" and not any(item.startswith("-") for item in rest):
        # argparse gives KEY=VALUE only one place; a user writes them behind options too.
        options.pairs = [*options.pairs, *rest]
    elif rest:
        raise UsageError(f"unrecognized arguments: {visible(' '.join(rest))}", "see `vmci --help`")
    if options.print_completion:
        import shtab  # 15 ms, and needed by nothing else

        print(shtab.complete(parser(), shell=options.print_completion))
        return 0
    if options.command is None:
        raise UsageError("no command", "see `vmci --help`")
    from vmci_tui import commands

    return commands.run(options)


def _open_app(arguments: list[str]) -> int:
    files = [item for item in arguments if not item.startswith("-") or os.path.exists(item)]
    if len(files) != len(arguments) or len(files) > 2:
        raise UsageError("the app takes a file, and an entry beside it", "vmci [FILE [BLOB]], or see `vmci --help`")
    import gc

    gc.disable()  # until the first picture is painted: nothing of what is made till then is garbage
    from vmci_tui.core.opening import open_document

    document = open_document(*files) if files else None
    if not sys.stdout.isatty() or not sys.stdin.isatty():
        raise UsageError("the app needs a terminal", "for scripts: vmci show FILE, vmci check FILE --json")
    from vmci_tui.tui.app import VmciApp

    app = VmciApp(document)
    app.run()
    return app.return_code or 0
