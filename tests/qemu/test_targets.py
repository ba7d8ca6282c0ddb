"""Test that the parser's list of guests, which needs no import, is that of the targets."""

from __future__ import annotations

from vmci_tui.cli import arguments
from vmci_tui.qemu.targets import TARGETS


def test_the_parser_offers_every_target() -> None:
    assert tuple(TARGETS) == arguments.TARGETS
