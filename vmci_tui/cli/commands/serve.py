"""`vmci serve`: serve the lessons to browsers on this machine. Each page has its own session and files."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
from typing import Final

from vmci_tui.cli.output import print_json, print_lines
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import OpenError, UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.lessons.lesson import find_lesson, headings, load
from vmci_tui.settings import settings

HOST: Final = "127.0.0.1"
"""The only address to listen on, because a session has no password."""
SESSIONS: Final = 16
"""The default limit of sessions at a time: 16 take 0.8 GB."""


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted; return the exit code."""
    found = headings(options.folder)
    for heading in found:
        load(heading.path)
    lesson = find_lesson(options.name, found) if options.name else None
    title = f"vmci lessons: {visible(lesson.title)}" if lesson is not None else "vmci lessons"
    port = _number(options.port, "port", (1 << 16) - 1)
    most = _most(options.sessions)
    try:
        from vmci_tui.cli.serving.lesson_server import LessonServer
    except ImportError:
        raise UsageError("textual-serve is not installed", "run pip install 'vmci-tui[web]'") from None
    # The sessions' folders are in this one, so that a session that dies leaves no file.
    with tempfile.TemporaryDirectory(prefix="vmci-serve-") as scratch, _listening(port) as listening:
        command = session_command(options.folder, lesson.name if lesson is not None else None)
        server = LessonServer(command, listening, most, scratch, title)
        url = f"http://{HOST}:{port}"
        if options.json:
            print_json({"url": url})
        else:
            print_lines([url])
        sys.stdout.flush()
        say(f"vmci: serving lessons to browsers on this machine, {most} at a time. Press Ctrl+C to stop")
        server.serve()
    return 0


def session_command(folder: str | None, name: str | None) -> list[str]:
    """Return the command line of a session."""
    where = ["--folder", os.path.abspath(folder)] if folder else []
    which = [name] if name else []
    return [sys.executable, "-P", "-m", "vmci_tui", "lessons", "--confined", *where, *which]


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()  # str(error) names the address twice
        raise OpenError(f"cannot listen on port {port}: {why}", "choose another with --port") from None


def _most(typed: str | None) -> int:
    """Return the limit of sessions at a time, from the option or the settings."""
    if typed is not None:
        return _number(typed, "number of sessions", settings.MOST_SESSIONS)
    chosen = settings.load()
    if chosen.trouble:
        say(f"vmci: {chosen.trouble}")
    return chosen.sessions or SESSIONS


def _number(text: str, what: str, most: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 0 < int(text) <= most:
        raise UsageError(f"{text!a} is not a {what}", f"use a number from 1 to {most}")
    return int(text)
