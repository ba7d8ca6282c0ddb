"""Report what a save would cost, and read what the user agreed to. The rules are in `saving.harm`."""

from __future__ import annotations

import argparse

from vmci_tui.cli.streams import say
from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.render.verdict_report import harm_words
from vmci_tui.saving.harm import Consent, Harm, LostReader, consent
from vmci_tui.saving.new_file import unfinished_copies


def agreed(options: argparse.Namespace) -> Consent:
    """Return the consent that `--yes` and the command itself give. Raises UsageError."""
    given = consent(getattr(options, "yes", None))
    if (given.paddr is not None or given.made) and options.command != "repair":
        raise UsageError(f"unknown consent '{visible(given.paddr or 'kernel')}'", "--yes accepts worse:READER,...")
    return given._replace(without_note=options.command == "strip")


def print_harm(harm: Harm, given: Consent) -> None:
    """Print what a save costs, one line each; the readers that `strip` is expected to stop, in one line."""
    expected = [item for item in harm.worse if given.without_note and item.misses_note]
    if expected:
        say(f"vmci: without the note these readers refuse: {', '.join(item.reader for item in expected)}")
    for words in harm_words(harm._replace(worse=tuple(item for item in harm.worse if item not in expected))):
        say(f"vmci: {words}")


def print_missing_consent(unasked: tuple[LostReader, ...]) -> None:
    """Print the option that agrees to the save; print nothing if no consent is missing."""
    if unasked:
        agree = ",".join(f"worse:{item.reader}" for item in unasked)
        say(f"vmci: nothing was written. To save anyway, add --yes {agree}")


def print_leftovers(target: str) -> None:
    """Print the names of half-written copies that a killed vmci left beside `target`."""
    for name, size in unfinished_copies(target):
        say(f"vmci: {name} ({size} bytes) is left over from a killed save. Remove it")
