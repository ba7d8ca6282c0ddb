"""`vmci serve`: the lessons in a browser, on this machine only. Each visitor has a session and files of his own."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
from typing import Final

from vmci_tui.cli.output import print_json, print_lines
from vmci_tui.cli.streams import tell
from vmci_tui.common.errors import OpenError, UsageError
from vmci_tui.lessons.lesson import find_lesson, headings, load
from vmci_tui.settings import settings

HOST: Final = "127.0.0.1"
"""Never another: a session has no password."""
SESSIONS: Final = 16
"""As many at a time, where neither an option nor the settings say otherwise: 16 take 0.8 GB."""


def run(options: argparse.Namespace) -> int:
    """Serve until it is interrupted; the exit code."""
    found = headings(options.folder)
    for heading in found:
        load(heading.path)
    name = find_lesson(options.name, found).name if options.name else None
    port = _number(options.port, "port", (1 << 16) - 1)
    most = _most(options.sessions)
    try:
        from vmci_tui.cli.commands.lesson_server import LessonServer
    except ImportError:
        raise UsageError("serving needs textual-serve", "pip install 'vmci-tui[web]'") from None
    # One folder for the sessions' own: whatever becomes of one, nothing of it stays.
    with tempfile.TemporaryDirectory(prefix="vmci-serve-") as scratch, _listening(port) as listening:
        server = LessonServer(session_command(options.folder, name), listening, most, scratch)
        url = f"http://{HOST}:{port}"
        if options.json:
            print_json({"url": url})
        else:
            print_lines([url])
        sys.stdout.flush()
        tell(f"vmci: lessons for whoever opens this address on this machine, {most} at a time; ctrl+c ends it")
        server.serve()
    return 0


def session_command(folder: str | None, name: str | None) -> list[str]:
    """What is run for each session."""
    where = ["--folder", os.path.abspath(folder)] if folder else []
    which = [name] if name else []
    return [sys.executable, "-P", "-m", "vmci_tui", "lessons", "--confined", *where, *which]


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()  # the error's own words name the address twice
        raise OpenError(f"port {port} cannot be used: {why}", "name another with --port") from None


def _most(typed: str | None) -> int:
    """How many sessions there may be at a time: the option, or the setting."""
    if typed is not None:
        return _number(typed, "number of sessions", settings.MOST_SESSIONS)
    chosen = settings.load()
    if chosen.trouble:
        tell(f"vmci: {chosen.trouble}")
    return chosen.sessions or SESSIONS


def _number(text: str, what: str, most: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 0 < int(text) <= most:
        raise UsageError(f"{text!a} is no {what}", f"a number from 1 to {most}")
    return int(text)
