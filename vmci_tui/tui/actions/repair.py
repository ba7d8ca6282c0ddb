"""Find the note in guest memory; make all safe fixes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmci_tui.tui.prompts import say, try_edit

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from vmci_tui.search.candidate import RankedCandidate
    from vmci_tui.tui.session import Session


def find(node: DOMNode, session: Session) -> None:
    """Show the candidates in guest memory, and adopt the chosen one."""
    from vmci_tui.tui.screens.candidates_screen import CandidatesScreen

    dump = session.document.dump
    if dump is None:
        say(node, "an entry has no memory: open a dump", "warning")
        return

    def adopt(judged: RankedCandidate | None) -> None:
        from vmci_tui.adoption.choose import adopted

        if judged is not None and try_edit(node, session, adopted(judged.candidate, dump.order)):
            say(node, "adopted: s saves a copy, u undoes it")

    node.app.push_screen(CandidatesScreen(session), adopt)


def repair(node: DOMNode, session: Session) -> None:
    """Try every safe fix and show the result; each applied fix is one step of undo."""
    from vmci_tui.tui.screens.repair_screen import RepairResult, RepairScreen

    if session.document.dump is None:
        say(node, "an entry has no repair: fix its findings one by one (f)", "warning")
        return

    def done(result: RepairResult | None) -> None:
        if result == "candidates":
            find(node, session)
        elif result is not None:
            session.apply_repair(*result)
            say(node, f"{len(result.repair.steps)} fix(es) made: s saves a copy, u undoes each")

    node.app.push_screen(RepairScreen(session), done)
