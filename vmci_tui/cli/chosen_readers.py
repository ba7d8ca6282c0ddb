"""The versions of readers that the user chose: with --reader, or in the settings."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from vmci_tui.cli.streams import say
from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.readers.verdicts import DEFAULT, NAMES, ChosenReaders

INSTALLED = "installed"
"""The value of --reader that means the versions of this machine's programs."""


class Choice(NamedTuple):
    """The readers that judge, and what was found on this machine."""

    readers: ChosenReaders
    installed: Mapping[str, str | None] | None
    """The version of each program, None if it is missing; None as a whole if they were not asked."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The readers whose program is not installed."""
        return tuple(name for name, version in (self.installed or {}).items() if version is None)


def choose(options: argparse.Namespace) -> Choice:
    """Return the readers by --reader, else by the settings. Raises UsageError for an unknown reader or version."""
    found = _ask_installed() if INSTALLED in options.reader else None
    there = {name: version for name, version in (found or {}).items() if version is not None}
    return Choice(_by_settings().at({**there, **given(options)}), found)


def given(options: argparse.Namespace) -> dict[str, str]:
    """Return the versions that --reader names. Raises UsageError if its form is another."""
    versions = {}
    for words in options.reader:
        name, equals, version = words.partition("=")
        if equals:
            versions[name] = version
        elif words != INSTALLED:
            choices = ", ".join(NAMES)
            raise UsageError(f"--reader {visible(words)} is not READER=VERSION", f"READER is one of {choices}")
    return versions


def _ask_installed() -> Mapping[str, str | None]:
    from vmci_tui.readers.installed import installed

    return installed()


def _by_settings() -> ChosenReaders:
    if not _may_have_settings():
        return DEFAULT
    from vmci_tui.settings.readers import readers_of
    from vmci_tui.settings.settings import load

    settings = load()
    readers, trouble = readers_of(settings.readers)
    for words in filter(None, (settings.trouble, trouble)):
        say(f"vmci: {words}")
    return readers


def _may_have_settings() -> bool:
    """Return whether there may be a settings file; importing what knows its place everywhere takes milliseconds."""
    if not sys.platform.startswith("linux"):
        return True
    folder = os.environ.get("XDG_CONFIG_HOME", "").strip() or os.path.expanduser("~/.config")
    return os.path.exists(os.path.join(folder, "vmci-tui", "settings.toml"))


def missing_text(choice: Choice) -> Iterator[str]:
    """Yield a line that names the programs that are not installed, if any is."""
    if choice.missing:
        yield f"  not installed: {', '.join(choice.missing)}"
