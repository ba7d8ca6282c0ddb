"""What a save would cost, told to the user, and what the user agreed to. No rule lives here."""

from __future__ import annotations

import argparse

from vmci_tui.cli.streams import tell
from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.render.verdict_report import harm_words
from vmci_tui.saving.harm import Consent, Harm, LostReader, consent
from vmci_tui.saving.new_file import unfinished_copies


def agreed(options: argparse.Namespace) -> Consent:
    """What `--yes` says, and what the command itself asks for. Raises UsageError."""
    given = consent(getattr(options, "yes", None))
    if given.paddr is not None and options.command != "repair":
        raise UsageError(f"unknown consent {visible(given.paddr)}", "--yes takes worse:READER,...")
    return given._replace(without_note=options.command == "strip")


def tell_harm(harm: Harm, given: Consent) -> None:
    """What a save costs, a line each; what `strip` is for, in one."""
    expected = [item for item in harm.worse if given.without_note and item.misses_note]
    if expected:
        tell(f"vmci: without the note these readers refuse: {', '.join(item.reader for item in expected)}")
    for words in harm_words(harm._replace(worse=tuple(item for item in harm.worse if item not in expected))):
        tell(f"vmci: {words}")


def tell_question(unasked: tuple[LostReader, ...]) -> None:
    """What to type where the user agrees; nothing where nothing is asked."""
    if unasked:
        agree = ",".join(f"worse:{item.reader}" for item in unasked)
        tell(f"vmci: nothing was written; --yes {agree} saves it all the same")


def tell_left(target: str) -> None:
    """Say which halves of copies to `target` a killed vmci has left."""
    for name, size in unfinished_copies(target):
        tell(f"vmci: {name} ({size} bytes) was left by a save that was killed; nobody needs it: remove it")
