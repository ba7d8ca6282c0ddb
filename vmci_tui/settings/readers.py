"""The readers in the versions that the settings name; the app's first paint does without them."""

from __future__ import annotations

from collections.abc import Mapping

from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import Safe
from vmci_tui.readers.verdicts import DEFAULT, ChosenReaders


def readers_of(versions: Mapping[str, str]) -> tuple[ChosenReaders, Safe | None]:
    """Return the readers in these versions; if one is not known, the defaults, and a message."""
    try:
        return DEFAULT.at(versions), None
    except UsageError as error:
        return DEFAULT, Safe(f"settings: {error.message}; the defaults are used")
