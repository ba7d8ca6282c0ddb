"""Fixtures of all tests of the app."""

from __future__ import annotations

import pytest

from tests.limits import PATIENCE
from vmci_tui.tui.app import VmciApp
from vmci_tui.tui.session import Session
from vmci_tui.tui.widgets.dialogs import TypedDialog


@pytest.fixture(autouse=True)
def _judged_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let edits wait longer for their judgement on a busy machine; tests of that wait set their own patience."""
    monkeypatch.setattr(Session, "patience", PATIENCE)
    monkeypatch.setattr(TypedDialog, "patience", PATIENCE)


@pytest.fixture(autouse=True)
def _messages_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep messages until a test reads them, which takes longer on a busy machine."""
    monkeypatch.setattr(VmciApp, "NOTIFICATION_TIMEOUT", PATIENCE)
