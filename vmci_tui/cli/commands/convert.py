"""`vmci convert`: write a memory image, or any dump, as the ELF dump that QEMU would have written."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable, Mapping

from vmci_tui.cli.chosen_readers import choose, missing_text
from vmci_tui.cli.commands.edit import open_dump
from vmci_tui.cli.consent import print_leftovers
from vmci_tui.cli.file_digest import digest
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.cli.streams import say
from vmci_tui.cli.vm_dump import dump_of_vm, print_vm_plan
from vmci_tui.common.errors import FileTaken, UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.common.sizes import size_text
from vmci_tui.formats.fw_cfg_entry import parse_number
from vmci_tui.layers.file import FileSource, files_of, refuse_other
from vmci_tui.opening.open_file import names_vm
from vmci_tui.render.conversion.page import conversion_page
from vmci_tui.render.conversion.report import conversion_json, conversion_text
from vmci_tui.render.dump_report import plan_json, plan_text
from vmci_tui.repair.conversion import Conversion, convert
from vmci_tui.repair.safe_fixes import Choice
from vmci_tui.saving.harm import consent
from vmci_tui.saving.new_file import refuse_target, write_new
from vmci_tui.saving.plan import plan_copy
from vmci_tui.saving.save_copy import CHECK_LIMIT, SaveResult, save_copy


def run(options: argparse.Namespace) -> int:
    """Convert; return 1 if the dump has no note, or an error is left in it."""
    if options.output is None and not options.dry_run:
        raise UsageError("missing output", "use -o OUT.elf, or --dry-run to print the plan only")
    if options.report is not None and options.dry_run:
        raise UsageError("--report is about a file that was written", "leave out --dry-run")
    for path in (options.output, options.report):
        if path is not None and os.path.lexists(path):
            raise FileTaken(f"{visible(path)} exists", "name a new file, or remove that one")
    paddr = consent(options.yes).paddr
    choice = Choice(paddr=None if paddr is None else parse_number(paddr))
    chosen = choose(options)
    if names_vm(options.file) and options.dry_run:
        return print_vm_plan(options)
    with dump_of_vm(options) if names_vm(options.file) else open_dump(options) as document:
        if options.output is not None:
            refuse_target(document.source, options.output)
        made = convert(document, choice, shown_progress(), chosen.readers)
        return _written(options, made, missing_text(chosen), chosen.installed)


def _written(
    options: argparse.Namespace, made: Conversion, notices: Iterable[str], installed: Mapping[str, str | None] | None
) -> int:
    document = made.document
    plan = plan_copy(document, options.output or "")
    saved = None
    if not options.dry_run:
        print_leftovers(options.output)
        asked = options.check_limit
        limit = parse_number(asked) if asked else CHECK_LIMIT
        saved = save_copy(document, plan, options.output, shown_progress(), limit)
    refuse_other(document.source)
    if options.json:
        out = {"file": document.name, **conversion_json(made), "plan": plan_json(plan), "installed": installed}
        print_json(out | {"written": None if saved is None else {"file": saved.name, "size": saved.size}})
    else:
        print_lines((*conversion_text(made), *notices))
        if options.dry_run:
            print_lines(plan_text(plan, document.source))
    if saved is not None:
        say(f"saved {saved.name}: {size_text(saved.size)}; {size_text(saved.checked)} of memory read back: identical")
        if options.report is not None:
            _report(options.report, made, saved)
    return int(bool(made.done.question or made.done.left))


def _report(path: str, made: Conversion, saved: SaveResult) -> None:
    progress = shown_progress()
    sources = [digest(file, progress) for file in files_of(made.document.source)]
    with FileSource(str(saved.name)) as written:
        result = digest(written, progress)
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    page = "".join(f"{line}\n" for line in conversion_page(made, sources, result, when))
    write_new(path, page.encode("ascii"))
    say(f"vmci: wrote {visible(path)}")
