"""What memory says of the note that a dump has, at once: a few pages are read, nothing is searched."""

from __future__ import annotations

from vmci_tui.core.budget import Budget
from vmci_tui.core.candidate import Proof
from vmci_tui.core.containers import Dump
from vmci_tui.core.document import State
from vmci_tui.core.guest import guest_of
from vmci_tui.core.proof import prove


def proof_of(state: State, dump: Dump | None, budget: Budget | None = None) -> Proof | None:
    """None where there is no text, or no memory to hold it against. `budget` may raise Cancelled."""
    if dump is None or state.vmcoreinfo is None:
        return None
    return prove(state.vmcoreinfo, guest_of(dump)._replace(budget=budget), search=False)
