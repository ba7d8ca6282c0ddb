"""`vmci cut`: write a dump of only those pages that proof, log and readers read, small enough to be mailed."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

from vmci_tui.cli import new_dump
from vmci_tui.cli.chosen_readers import choose, missing_text
from vmci_tui.cli.open_named import open_named
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.cutting.cut import Cut, CutChoice, cut
from vmci_tui.cutting.wanted import DEFAULT, KINDS
from vmci_tui.readers.verdicts import NAMES, VerdictPair, verdicts_now
from vmci_tui.render.candidate_report import verdicts_of_both
from vmci_tui.render.conversion.cut_report import cut_json, cut_page, cut_text
from vmci_tui.render.dump_report import plan_json, plan_text
from vmci_tui.render.image_report import image_json
from vmci_tui.saving.new_file import refuse_target
from vmci_tui.saving.plan import plan_copy

_READERS: Final = tuple(name for name in NAMES if name != "qemu")


def run(options: argparse.Namespace) -> int:
    """Cut; return 0. Raises UsageError for unknown names, OpenError and SaveError."""
    new_dump.check_outputs(options)
    choice = _choice(options)
    chosen = choose(options)
    with open_named(options) as document:
        if document.dump is None:
            raise UsageError(f"{document.name} is an entry, which has no memory", "name a dump")
        if options.output is not None:
            refuse_target(document.source, options.output)
        made = cut(document, choice, shown_progress(), chosen.readers)
        both = (verdicts_now(each, chosen.readers) for each in (document, made.document))
        whole, after = ({name: one[name] for name in _READERS} for one in both)  # QEMU reads the entry, not the dump
        live = image_json(document.dump) if document.runs else {}
        return _written(options, made, VerdictPair(whole, after), missing_text(chosen), chosen.installed, live)


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


def _written(
    options: argparse.Namespace,
    made: Cut,
    readers: VerdictPair,
    notices: Iterable[str],
    installed: Mapping[str, str | None] | None,
    live: Mapping[str, object],
) -> int:
    plan = plan_copy(made.document, options.output or "")
    saved = new_dump.save(options, made.document, plan)
    if options.json:
        print_json(
            {
                "file": made.document.name,
                **live,
                "cut": cut_json(made),
                "remarks": list(made.remarks),
                **verdicts_of_both(readers),
                "installed": installed,
                "plan": plan_json(plan),
                "written": new_dump.written_json(saved),
            }
        )
    else:
        print_lines((*cut_text(made, readers), *notices))
        if options.dry_run:
            print_lines(plan_text(plan, made.document.source))
    new_dump.say_saved(options, made.document, saved, partial(cut_page, made, readers))
    return 0
