"""The proof of the note that a dump has, without a search: a few pages are read."""

from __future__ import annotations

from vmci_tui.common.budget import Budget
from vmci_tui.containers import Dump
from vmci_tui.containers.guest import guest_of
from vmci_tui.document.state import State
from vmci_tui.proof import prove
from vmci_tui.search.candidate import Proof


def proof_of(state: State, dump: Dump | None, budget: Budget | None = None) -> Proof | None:
    """Return the proof; None if there is no text, or no memory to compare it with. `budget` may raise Cancelled."""
    if dump is None or state.vmcoreinfo is None:
        return None
    return prove(state.vmcoreinfo, guest_of(dump)._replace(budget=budget), search=False)
