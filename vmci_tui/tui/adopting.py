"""Finding the note in guest memory and repairing, from the main screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmci_tui.core.errors import VmciError
from vmci_tui.tui.editing import EditActions

if TYPE_CHECKING:
    from vmci_tui.core.candidate import Candidate, Judged
    from vmci_tui.core.repair import Repair


class AdoptActions(EditActions):
    """Actions that look into guest memory. (Imported when asked for: no first paint waits for them.)"""

    _candidates: tuple[Judged, ...] = ()

    def action_find(self) -> None:
        """The screen of candidates; what was found is kept, for memory does not change."""
        from vmci_tui.core.guest import guest_of
        from vmci_tui.tui.candidates import CandidatesScreen

        dump = self.document.dump
        if dump is None:
            self.say("this is an entry, it has no memory: open a dump", "warning")
            return
        screen = CandidatesScreen(guest_of(dump), self._candidates, self._keep, self._compare, self._save_entry)
        screen.shell = self.shell_of("find FILE")
        self.app.push_screen(screen, self._adopt)

    def _keep(self, judged: tuple[Judged, ...]) -> None:
        self._candidates = judged

    def _adopt(self, judged: Judged | None) -> None:
        if judged is None or self.document.dump is None:
            return
        from vmci_tui.core.adopt import put_in

        candidate, order = judged.candidate, self.document.dump.order
        label = f"adopt the {candidate.kind} at paddr {candidate.paddr:#x}"
        self.try_edit(label, lambda state: put_in(state, candidate, order))
        if self.document.labels and self.document.labels[-1] == label:
            self.say("adopted: s saves a copy, u takes it back")

    def _compare(self, candidate: Candidate) -> None:
        """The candidate beside the dump's own note, key by key."""
        from vmci_tui.core.difference import compare, difference_text
        from vmci_tui.tui.explaining import Told

        text = self.document.state.vmcoreinfo
        if text is None:
            self.say("the dump has no text to compare with: Enter adopts the candidate", "warning")
            return
        found = compare(text, candidate.vmcoreinfo)
        title = f"The dump's note (a) and the {candidate.kind} at paddr {candidate.paddr:#x} (b)"
        self.app.push_screen(Told(title, difference_text(found)))

    def _save_entry(self, candidate: Candidate) -> None:
        """The entry that a Linux guest writes for this note, as a blob."""
        from vmci_tui.core.entries import entry_for
        from vmci_tui.core.plan import plan_copy
        from vmci_tui.tui.saving import Outcome, SaveScreen

        try:
            document = entry_for(candidate)
            plan = plan_copy(document)
        except VmciError as error:
            self.say(str(error), "error")
            return

        def saved(outcome: Outcome | None) -> None:
            if outcome is not None:
                self.say(outcome.words)

        self.app.push_screen(SaveScreen(document, plan, self.vmci.settings.blink), saved)

    def action_repair(self) -> None:
        """Every safe fix in one go, tried first and shown; each is one step of undo."""
        from vmci_tui.tui.repairing import RepairScreen

        if self.document.dump is None:
            self.say("this is an entry: its findings have fixes of their own (f)", "warning")
            return
        screen = RepairScreen(self.document)
        screen.shell = self.shell_of("repair FILE -o COPY")

        def done(repair: Repair | None) -> None:
            if screen.wants_candidates:
                self.action_find()
            elif repair is not None:
                before = self.document.state
                for step in repair.steps:
                    self.document.apply(step.label, step.state)
                self.group_edits(before, f"repair FILE{' --keep-segments' * screen.keeps_segments}")
                self.show_state()
                self.tell_command()
                self.say(f"{len(repair.steps)} fix(es) made: s saves a copy, u takes each back")

        self.app.push_screen(screen, done)
