"""`vmci serve`: the lessons in a browser, on this machine only. Each visitor has a session and files of his own."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile

from vmci_tui.core.errors import UsageError
from vmci_tui.core.lessons import find_lesson, headings, load
from vmci_tui.output import print_json, print_lines, tell

HOST = "127.0.0.1"
"""Never another: a session has no password."""


def run(options: argparse.Namespace) -> int:
    """Serve until it is interrupted; the exit code."""
    found = headings(options.folder)
    for heading in found:
        load(heading.path)
    name = find_lesson(options.name, found).name if options.name else None
    port = _port(options.port)
    try:
        from vmci_tui.webserver import LessonServer
    except ImportError:
        raise UsageError("serving needs textual-serve", "pip install 'vmci-tui[web]'") from None
    url = f"http://{HOST}:{port}"
    # One folder for the sessions' own: whatever becomes of one, nothing of it stays.
    with tempfile.TemporaryDirectory(prefix="vmci-serve-") as scratch:
        os.environ["TMPDIR"] = scratch
        server = LessonServer(session_command(options.folder, name), HOST, port, title="vmci lessons")
        if options.json:
            print_json({"url": url})
        else:
            print_lines([url])
        sys.stdout.flush()
        tell("vmci: lessons for whoever opens this address on this machine; ctrl+c ends it")
        server.serve()
    return 0


def session_command(folder: str | None, name: str | None) -> str:
    """What a shell runs for each session."""
    where = ["--folder", os.path.abspath(folder)] if folder else []
    which = [name] if name else []
    return shlex.join([sys.executable, "-m", "vmci_tui", "lessons", "--confined", *where, *which])


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 1 << 16:
        raise UsageError(f"{text!a} is no port", "a number from 1 to 65535")
    return int(text)
