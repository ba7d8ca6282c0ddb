"""`vmci convert`: write a memory image, or any dump, as the ELF dump that QEMU would have written."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from vmci_tui.cli import new_dump
from vmci_tui.cli.chosen_readers import choose, missing_text
from vmci_tui.cli.commands.edit import open_dump
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.cli.vm_dump import dump_of_vm, print_vm_plan
from vmci_tui.document.document import Document
from vmci_tui.formats.fw_cfg_entry import parse_number
from vmci_tui.opening.open_file import names_vm
from vmci_tui.render.conversion.page import conversion_page
from vmci_tui.render.conversion.report import conversion_json, conversion_text
from vmci_tui.render.dump_report import Json, plan_json, plan_text
from vmci_tui.repair.conversion import Conversion, convert
from vmci_tui.repair.safe_fixes import Choice
from vmci_tui.saving.harm import consent
from vmci_tui.saving.new_file import refuse_target
from vmci_tui.saving.plan import plan_copy
from vmci_tui.saving.save_copy import CHECK_LIMIT


def run(options: argparse.Namespace) -> int:
    """Convert; return 1 if the dump has no note, or an error is left in it."""
    new_dump.check_outputs(options)
    paddr = consent(options.yes).paddr
    choice = Choice(paddr=None if paddr is None else parse_number(paddr))
    chosen = choose(options)
    if names_vm(options.file) and options.dry_run:
        return print_vm_plan(options)
    with _source(options) as (document, vm):
        if options.output is not None:
            refuse_target(document.source, options.output)
        made = convert(document, choice, shown_progress(), chosen.readers)
        return _written(options, made, vm | {"installed": chosen.installed}, missing_text(chosen))


@contextmanager
def _source(options: argparse.Namespace) -> Iterator[tuple[Document, Json]]:
    """Yield the document to convert, and what JSON says of the VM that it is a dump of."""
    if names_vm(options.file):
        with dump_of_vm(options) as taken:
            yield taken
    else:
        with open_dump(options, "memory", "name a dump") as document:
            yield document, {}


def _written(options: argparse.Namespace, made: Conversion, more: Json, notices: Iterable[str]) -> int:
    document = made.document
    plan = plan_copy(document, options.output or "")
    limit = parse_number(options.check_limit) if options.check_limit else CHECK_LIMIT
    saved = new_dump.save(options, document, plan, limit)
    if options.json:
        out = {"file": document.name, **conversion_json(made), "plan": plan_json(plan), **more}
        print_json(out | {"written": new_dump.written_json(saved)})
    else:
        print_lines((*conversion_text(made), *notices))
        if options.dry_run:
            print_lines(plan_text(plan, document.source))
    new_dump.say_saved(options, document, saved, partial(conversion_page, made))
    return int(bool(made.done.question or made.done.left))
