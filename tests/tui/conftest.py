"""Fixtures of all tests of the app."""

from __future__ import annotations

import pytest

from tests.limits import PATIENCE
from vmci_tui.tui.disk.files import Files
from vmci_tui.tui.session import Session
from vmci_tui.tui.widgets.dialogs import TypedDialog
from vmci_tui.tui.widgets.recent_files import RecentFiles


@pytest.fixture(autouse=True)
def _judged_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let edits wait longer for their judgement on a busy machine; tests of that wait set their own patience."""
    monkeypatch.setattr(Session, "patience", PATIENCE)
    monkeypatch.setattr(TypedDialog, "patience", PATIENCE)
    monkeypatch.setattr(RecentFiles, "patience", PATIENCE)
    monkeypatch.setattr(Files, "patience", PATIENCE)
