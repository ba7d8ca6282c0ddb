"""`vmci repair`: apply every safe fix, and save."""

from __future__ import annotations

import argparse
from typing import Any

from vmci_tui.adoption.note_facts import facts_of_note
from vmci_tui.cli.chosen_readers import choose, missing_text
from vmci_tui.cli.commands.edit import require_output, save
from vmci_tui.cli.open_named import open_to_save
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.document.document import Document
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.formats.fw_cfg_entry import parse_number
from vmci_tui.render.candidate_report import repair_json, repair_text
from vmci_tui.render.kernel.made_report import made_json
from vmci_tui.render.verdict_report import next_json, next_text
from vmci_tui.repair.entry_repair import repair_entry
from vmci_tui.repair.next_commands import next_commands
from vmci_tui.repair.repaired import Repair
from vmci_tui.repair.safe_fixes import Choice, Prior, repair
from vmci_tui.saving.harm import consent


def run(options: argparse.Namespace) -> int:
    """Repair and save; return 1 if errors remain.

    Nothing is written if the user must decide first, or if there are errors and no fix was applied.
    """
    require_output(options)
    given = consent(options.yes)
    if given.paddr is not None and given.made:
        raise UsageError("--yes names two notes", "use PADDR for one in memory, or kernel for the one that is made")
    choice = Choice(
        None if options.only is None else _codes(options.only),
        None if given.paddr is None else parse_number(given.paddr),
        given.made,
        options.keep_segments,
        options.keep_flattened or options.in_place,
    )
    with open_to_save(options) as document:
        return _repaired(options, document, choice)


def _repaired(options: argparse.Namespace, document: Document, choice: Choice) -> int:
    chosen = choose(options)
    if document.dump is None:
        if choice.paddr is not None or choice.made:
            which = "kernel" if choice.made else "PADDR"
            raise UsageError(f"--yes {which} needs a dump", "an entry has no memory with notes")
        done = repair_entry(document, choice, chosen.readers)
    else:
        prior = Prior(facts=facts_of_note(document))
        done = repair(document, choice, shown_progress(), chosen.readers, prior)
    unwritten = ""
    if done.question:
        ways = ["--yes PADDR uses the candidate there"] if done.candidates else []
        ways += ["--yes kernel adds the note made from the kernel's tables"] if done.made is not None else []
        unwritten = f"; {', '.join((*ways, '--only CODE,... keeps the note'))}"
    elif done.left and not done.steps:
        unwritten = ": a copy would have the same errors"
    if unwritten:
        if not options.json:
            print_lines(repair_text(done))
        if options.json:
            print_json({"file": document.name, "plan": None} | _json(done) | {"installed": chosen.installed})
        say(f"vmci: nothing was written{unwritten}")
        return 1
    steps = next_commands(done.judgement, options.output or options.file)
    more = _json(done) | {"installed": chosen.installed, "next": next_json(steps)}
    code = save(options, document, more, (*repair_text(done), *missing_text(chosen)), chosen.readers)
    if steps and not (code or done.left or options.json or options.dry_run):
        print_lines(("", "next", *next_text(steps)))
    return code or int(bool(done.left))


def _json(done: Repair) -> dict[str, Any]:
    return repair_json(done) | ({} if done.made is None else {"made": made_json(done.made)})


def _codes(names: str) -> frozenset[str]:
    codes = frozenset(name.strip().upper() for name in names.split(","))
    for code in sorted(codes):
        if code not in catalogue():
            raise UsageError(f"unknown finding code '{visible(code)}'", "`vmci check FILE` lists them")
        kind = catalogue()[code]
        if not (kind.safe or kind.adopt or kind.about == "entry"):
            raise UsageError(f"{code} has no safe fix", "fix it in the app, or with `vmci set`")
    return codes
