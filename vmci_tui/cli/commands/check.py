"""`vmci check`: print findings, and the verdict of every reader."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from vmci_tui.adoption.note_facts import facts_of_note
from vmci_tui.cli.chosen_readers import Choice, choose, missing_text
from vmci_tui.cli.open_named import open_named
from vmci_tui.cli.output import print_json, print_lines, warn_if_interrupted
from vmci_tui.cli.streams import say
from vmci_tui.common import internal_errors
from vmci_tui.common.errors import Cancelled, FileTaken, OpenError, UsageError, VmciError
from vmci_tui.common.safe_text import Safe, safe, visible
from vmci_tui.document.document import Document
from vmci_tui.findings.judgement import Judgement
from vmci_tui.layers.file import FileSource, refuse_other
from vmci_tui.readers.file_view import View
from vmci_tui.readers.verdicts import NAMES, VerdictPair, judge_file
from vmci_tui.render import verdict_report as report_readers
from vmci_tui.render.check_report import Checked, check_json, check_text, verdict_line
from vmci_tui.render.headline import contents
from vmci_tui.repair.next_commands import next_commands

_STATES: Final = {0: "ok", 1: "error", OpenError.exit_code: "unread"}
"""A word for the exit code of one file of several."""
_PATH_WIDTH: Final = 40
"""Columns for the names of files; longer ones move what follows."""


def run(options: argparse.Namespace) -> int:
    """Run the command; return 1 on an error. With --for: on one that concerns these readers, or a refusal."""
    if options.report is not None and os.path.lexists(options.report):
        raise FileTaken(f"{visible(options.report)} exists", "name a new file for the report, or remove that one")
    chosen = _chosen(options.readers)
    if len(options.files) > 1:
        if options.report is not None or options.blob is not None:
            raise UsageError("--blob and --report are about one file", "check the files one at a time")
        return _print_several(options, chosen, choose(options))
    (path,) = options.files
    warn_if_interrupted(path)
    choice = choose(options)
    try:
        document = open_named(options, path)
    except OpenError:
        _print_unopened(options, path, choice)
        raise
    with document:
        return _checked(options, document, chosen, choice)


class _Row(NamedTuple):
    """One file of several: its exit code, and what was found or why it was not read."""

    path: Safe
    code: int
    words: Safe
    json: dict[str, Any] | None = None


def _print_several(options: argparse.Namespace, chosen: tuple[str, ...], choice: Choice) -> int:
    """Print a line for each file, and a summary; return the worst exit code. Folders are left out."""
    paths = [path for path in options.files if not os.path.isdir(path)]
    width = max((min(len(visible(path)), _PATH_WIDTH) for path in paths), default=0)
    rows = []
    for path in paths:
        rows.append(_row(options, path, chosen, choice))
        if not options.json:
            print_lines([f"{_STATES[rows[-1].code]:<6}  {rows[-1].path:<{width}}  {rows[-1].words}"])
            sys.stdout.flush()
    if options.json:
        keys = ("file", "exit_code", "words", "check")
        print_json({"files": [dict(zip(keys, row, strict=True)) for row in rows], "installed": choice.installed})
    else:
        codes = Counter(row.code for row in rows)
        folders = len(options.files) - len(paths)
        words = {**_STATES, 1: "with errors"}
        counted = ", ".join(f"{codes[code]} {word}" for code, word in words.items() if codes[code]) or "none"
        left_out = f"; {folders} folder{'s' if folders > 1 else ''} left out" if folders else ""
        print_lines(["", f"{len(rows)} file{'' if len(rows) == 1 else 's'}: {counted}{left_out}"])
    return max((row.code for row in rows), default=0)


def _row(options: argparse.Namespace, path: str, chosen: tuple[str, ...], choice: Choice) -> _Row:
    """Check one file of several; an error in it is its row, and the next files are still checked."""
    shown = visible(path)
    try:
        warn_if_interrupted(path)
        with open_named(options, path) as document:
            checked = _check(options, document, chosen, choice)
            words = Safe(f"{verdict_line(checked)} ({contents(document)})")
            found = _json(options, checked) if options.json else None
            refuse_other(document.source)
            return _Row(shown, _code(options, checked), words, found)
    except Cancelled:
        raise
    except VmciError as error:
        words = safe(error.message.removeprefix(f"{shown}: "))
    except MemoryError:
        words = Safe("out of memory while reading the file")
    except Exception as error:  # a bug in vmci: run() names its log at the end
        words = Safe(str(internal_errors.record(error)))
    return _Row(shown, OpenError.exit_code, words)


def _json(options: argparse.Namespace, checked: Checked) -> dict[str, Any]:
    more = {"more_readers": report_readers.readers_json(checked.more.now)} if options.all_readers else {}
    return check_json(checked) | more


def _code(options: argparse.Namespace, checked: Checked) -> int:
    return int(checked.has_error or (options.readers is not None and checked.refused))


def _checked(options: argparse.Namespace, document: Document, chosen: tuple[str, ...], choice: Choice) -> int:
    checked = _check(options, document, chosen, choice)
    if options.json:
        out = _json(options, checked)
        refuse_other(document.source)
        print_json(out | {"installed": choice.installed})
    else:
        lines = [*_readers_text(checked.both, choice, checked.judgement.document.is_image), "", *check_text(checked)]
        refuse_other(document.source)
        print_lines(lines)
    if options.report is not None:
        from vmci_tui.render.ticket_page import ticket_page
        from vmci_tui.saving.new_file import write_new

        write_new(options.report, "".join(f"{line}\n" for line in ticket_page(checked)).encode("ascii"))
        say(f"vmci: wrote {visible(options.report)}")
    return _code(options, checked)


def _check(options: argparse.Namespace, document: Document, chosen: tuple[str, ...], choice: Choice) -> Checked:
    """Judge a document for the chosen readers."""
    judgement = Judgement.of(document, readers=choice.readers, facts=facts_of_note(document))
    found = judgement.found
    if options.readers is not None:
        found = tuple(item for item in found if any(c.reader in chosen for c in item.readers))
    now = {name: verdict for name, verdict in judgement.now.items() if name in chosen}
    more = judgement.more if options.all_readers else VerdictPair({}, {})
    return Checked(judgement, found, now, more, next_commands(judgement, readers=chosen))


def _chosen(names: str | None) -> tuple[str, ...]:
    if names is None:
        return NAMES
    chosen = tuple(name.strip() for name in names.split(","))
    for name in chosen:
        if name not in NAMES:
            raise UsageError(f"unknown reader '{visible(name)}'", f"choose from {', '.join(NAMES)}")
    return chosen


def _readers_text(both: VerdictPair, choice: Choice, is_image: bool = False) -> Iterator[str]:
    yield report_readers.readers_heading(both.now)
    if is_image:
        yield f"  {report_readers.AS_A_DUMP}"
    yield from missing_text(choice)
    yield from report_readers.readers_text(both)


def _print_unopened(options: argparse.Namespace, path: str, choice: Choice) -> None:
    """Print the verdicts over a file that vmci cannot open, if it is ELF or a reader accepts it."""
    try:
        source = FileSource(path)
    except OpenError:
        return
    with source:
        view = View(source)
        verdicts = judge_file(view, choice.readers.dumps)
        if not any(verdict.accepts for verdict in verdicts.values()) and source.read(0, 4) != b"\x7fELF":
            return
        more = judge_file(view, choice.readers.more) if options.all_readers else {}
        if options.json:
            none = dict.fromkeys(("container", "machine", "bits", "byte_order"))
            readers = {"readers": report_readers.readers_json(verdicts), "installed": choice.installed}
            if options.all_readers:
                readers["more_readers"] = report_readers.readers_json(more)
            print_json({"file": source.name, "size": source.size, **none, **readers})
        else:
            verdicts |= more
            print_lines(_readers_text(VerdictPair(verdicts, verdicts), choice))
