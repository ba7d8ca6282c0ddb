"""`vmci cut`: write a dump of only those pages that proof, log and readers read, small enough to be mailed."""

from __future__ import annotations

import argparse
import os
import time
from typing import Final

from vmci_tui.cli.chosen_readers import choose
from vmci_tui.cli.commands.edit import open_dump, require_output
from vmci_tui.cli.consent import print_leftovers
from vmci_tui.cli.file_digest import digest
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import FileTaken, UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.common.sizes import size_text
from vmci_tui.cutting.cut import Cut, CutChoice, cut
from vmci_tui.cutting.wanted import DEFAULT, KINDS
from vmci_tui.layers.file import FileSource, files_of, refuse_other
from vmci_tui.readers.verdicts import NAMES, VerdictPair, verdicts_now
from vmci_tui.render.candidate_report import verdicts_of_both
from vmci_tui.render.conversion.cut_report import cut_json, cut_page, cut_text
from vmci_tui.render.dump_report import plan_json, plan_text
from vmci_tui.saving.new_file import refuse_target, write_new
from vmci_tui.saving.plan import plan_copy
from vmci_tui.saving.save_copy import CHECK_LIMIT, save_copy

_READERS: Final = tuple(name for name in NAMES if name != "qemu")


def run(options: argparse.Namespace) -> int:
    """Cut; return 0. Raises UsageError for unknown names, OpenError and SaveError."""
    require_output(options)
    if options.report is not None and options.dry_run:
        raise UsageError("--report is about a file that was written", "leave out --dry-run")
    for path in (options.output, options.report):
        if path is not None and os.path.lexists(path):
            raise FileTaken(f"{visible(path)} exists", "name a new file, or remove that one")
    choice = _choice(options)
    chosen = choose(options)
    with open_dump(options) as document:
        if options.output is not None:
            refuse_target(document.source, options.output)
        made = cut(document, choice, shown_progress(), chosen.readers)
        both = (verdicts_now(each, chosen.readers) for each in (document, made.document))
        whole, after = ({name: one[name] for name in _READERS} for one in both)  # QEMU reads the entry, not the dump
        return _written(options, made, VerdictPair(whole, after))


def _choice(options: argparse.Namespace) -> CutChoice:
    kinds = _named(options.keep, KINDS, "--keep") if options.keep is not None else DEFAULT
    programs = _named(options.programs, _READERS, "--for") if options.programs is not None else frozenset()
    return CutChoice(kinds - {"log"} if options.no_log else kinds, programs, options.mask)


def _named(words: str, known: tuple[str, ...], option: str) -> frozenset[str]:
    names = frozenset(word.strip() for word in words.split(","))
    if not names <= set(known):
        wrong = visible(", ".join(sorted(names - set(known))))
        raise UsageError(f"{option} does not know {wrong or 'an empty name'}", f"the names are {', '.join(known)}")
    return names


def _written(options: argparse.Namespace, made: Cut, readers: VerdictPair) -> int:
    plan = plan_copy(made.document, options.output or "")
    saved = None
    if not options.dry_run:
        print_leftovers(options.output)
        saved = save_copy(made.document, plan, options.output, shown_progress(), CHECK_LIMIT)
    refuse_other(made.document.source)
    if options.json:
        out = {"file": made.document.name, "cut": cut_json(made), "remarks": list(made.remarks)}
        written = None if saved is None else {"file": saved.name, "size": saved.size}
        print_json(out | verdicts_of_both(readers) | {"plan": plan_json(plan), "written": written})
    else:
        print_lines(cut_text(made, readers))
        if options.dry_run:
            print_lines(plan_text(plan, made.document.source))
    if saved is not None:
        say(f"saved {saved.name}: {size_text(saved.size)}; {size_text(saved.checked)} of memory read back: identical")
        if options.report is not None:
            progress = shown_progress()
            sources = [digest(file, progress) for file in files_of(made.document.source)]
            with FileSource(str(saved.name)) as file:
                result = digest(file, progress)
            when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
            page = "".join(f"{line}\n" for line in cut_page(made, readers, sources, result, when))
            write_new(options.report, page.encode("ascii"))
            say(f"vmci: wrote {visible(options.report)}")
    return 0
