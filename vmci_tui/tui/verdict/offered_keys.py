"""The verdict on the open file, and the keys that it names, as the user has set them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from textual.binding import Binding
from textual.screen import Screen

from vmci_tui.common.safe_text import Safe
from vmci_tui.tui.host import host
from vmci_tui.tui.session import BEING_JUDGED, Session
from vmci_tui.verdict.diagnosis import CHECKING, FAILED, Diagnosis


def verdict_of(session: Session) -> Diagnosis:
    """Return who can use the file, and the keys that help, as far as it is known now."""
    if session.judgement is None:
        return CHECKING if session.not_judged == BEING_JUDGED else FAILED
    from vmci_tui.verdict.judged import diagnosis
    from vmci_tui.verdict.outlook import Looking

    outlook = session.ahead.outlook if session.ahead is not None else Looking(Safe(""))
    return diagnosis(session.judgement, outlook, session.saved_copy)


def offered_keys(screen: Screen[Any]) -> Mapping[str, str]:
    """Return the first key of each of a screen's own actions, as it is shown."""
    chosen = host(screen).settings.keymap
    found = {}
    for item in type(screen).BINDINGS:
        if isinstance(item, Binding):
            key = chosen.get(item.id or "", item.key).split(",")[0]
            found[item.action] = screen.app.get_key_display(replace(item, key=key))
    return found
