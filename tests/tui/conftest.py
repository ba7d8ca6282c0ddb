"""What all tests of the screens share."""

from __future__ import annotations

import pytest

from tests.limits import PATIENCE
from vmci_tui.tui.app import VmciApp
from vmci_tui.tui.session import Session
from vmci_tui.tui.widgets.dialogs import Dialog


@pytest.fixture(autouse=True)
def _judged_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take longer than an edit waits for its judgement; tests of that set their own patience."""
    monkeypatch.setattr(Session, "patience", PATIENCE)
    monkeypatch.setattr(Dialog, "patience", PATIENCE)


@pytest.fixture(autouse=True)
def _messages_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test asks after was said a while ago, on a busy machine."""
    monkeypatch.setattr(VmciApp, "NOTIFICATION_TIMEOUT", PATIENCE)
