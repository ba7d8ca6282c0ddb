"""Write the dump that `convert` or `cut` makes to a new file, and the page about it for a ticket."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable, Sequence

from vmci_tui.cli.consent import print_leftovers
from vmci_tui.cli.file_digest import digest
from vmci_tui.cli.output import shown_progress
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import FileTaken, UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.common.sizes import size_text
from vmci_tui.document.document import Document
from vmci_tui.layers.file import FileSource, files_of, refuse_other
from vmci_tui.render.conversion.page import Digest
from vmci_tui.saving.new_file import write_new
from vmci_tui.saving.plan import Plan
from vmci_tui.saving.save_copy import CHECK_LIMIT, SaveResult, save_copy

Page = Callable[[Sequence[Digest], Digest, str], Iterable[str]]
"""Returns the lines of a page from the sources, the result, and the time of day."""


def check_outputs(options: argparse.Namespace) -> None:
    """Raise UsageError without -o and --dry-run, and for a page about no file; FileTaken for a file that exists."""
    if options.output is None and not options.dry_run:
        raise UsageError("missing output", "use -o OUT.elf, or --dry-run to print the plan only")
    if options.report is not None and options.dry_run:
        raise UsageError("--report is about a file that was written", "leave out --dry-run")
    for path in (options.output, options.report):
        if path is not None and os.path.lexists(path):
            raise FileTaken(f"{visible(path)} exists", "name a new file, or remove that one")


def save(options: argparse.Namespace, document: Document, plan: Plan, limit: int = CHECK_LIMIT) -> SaveResult | None:
    """Write the dump and compare its memory; None with --dry-run. Raises SaveError."""
    saved = None
    if not options.dry_run:
        print_leftovers(options.output)
        saved = save_copy(document, plan, options.output, shown_progress(), limit)
    refuse_other(document.source)
    return saved


def written_json(saved: SaveResult | None) -> dict[str, object] | None:
    """Return the written file."""
    return None if saved is None else {"file": saved.name, "size": saved.size}


def say_saved(options: argparse.Namespace, document: Document, saved: SaveResult | None, page: Page) -> None:
    """Say what was written, if anything was, and write the page of --report."""
    if saved is None:
        return
    say(f"saved {saved.name}: {size_text(saved.size)}; {size_text(saved.checked)} of memory read back: identical")
    if options.report is None:
        return
    progress = shown_progress()
    sources = [digest(file, progress) for file in files_of(document.source)]
    with FileSource(str(saved.name)) as written:
        result = digest(written, progress)
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    text = "".join(f"{line}\n" for line in page(sources, result, when))
    write_new(options.report, text.encode("ascii"))
    say(f"vmci: wrote {visible(options.report)}")
