"""Finding the note in guest memory and repairing, from the main screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmci_tui.common.errors import VmciError
from vmci_tui.common.safe_text import visible
from vmci_tui.document.edit import Edit
from vmci_tui.tui.actions.edit_actions import EditActions

if TYPE_CHECKING:
    from vmci_tui.repair.safe_fixes import Repair
    from vmci_tui.search.candidate import Candidate, Judged


class AdoptActions(EditActions):
    """Actions that look into guest memory. (Imported when asked for: no first paint waits for them.)"""

    _candidates: tuple[Judged, ...] = ()

    def action_find(self) -> None:
        """The screen of candidates; what was found is kept, for memory does not change."""
        from vmci_tui.containers.guest import guest_of
        from vmci_tui.tui.screens.candidates_screen import CandidatesScreen

        dump = self.document.dump
        if dump is None:
            self.say("this is an entry, it has no memory: open a dump", "warning")
            return
        own = self.document.state.vmcoreinfo
        text = None if own is None else own.text
        screen = CandidatesScreen(guest_of(dump), text, self._candidates, self._keep, self._compare, self._save_entry)
        screen.shell = self.shell_of("find FILE")
        self.app.push_screen(screen, self._adopt)

    def _keep(self, judged: tuple[Judged, ...]) -> None:
        self._candidates = judged

    def _adopt(self, judged: Judged | None) -> None:
        if judged is None or self.document.dump is None:
            return
        from vmci_tui.adoption.choose import adopted

        if self.try_edit(adopted(judged.candidate, self.document.dump.order)):
            self.say("adopted: s saves a copy, u takes it back")

    def _compare(self, candidate: Candidate, best: Candidate) -> None:
        """The candidate beside the dump's own note, or where it has none beside the best one, key by key."""
        from vmci_tui.knowledge.text_diff import compare, difference_text
        from vmci_tui.tui.widgets.text_dialog import Told

        text = self.document.state.vmcoreinfo
        which = "The dump's note" if text is not None else f"The {best.kind} at paddr {best.paddr:#x}"
        found = compare(best.vmcoreinfo if text is None else text, candidate.vmcoreinfo)
        title = f"{which} (a) and the {candidate.kind} at paddr {candidate.paddr:#x} (b)"
        self.app.push_screen(Told(title, difference_text(found)))

    def _save_entry(self, candidate: Candidate) -> None:
        """The entry that a Linux guest writes for this note, as a blob."""
        from vmci_tui.opening.entry_for_note import entry_for
        from vmci_tui.saving.plan import plan_copy
        from vmci_tui.tui.screens.save_screen import Outcome, SaveScreen

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

    def action_header(self) -> None:
        """The header of a kdump file, and a field of it changed."""
        fields, dump = self.document.state.header, self.document.dump
        from vmci_tui.render.dump_report import header_report

        report = header_report(dump) if dump is not None else None
        if fields is None or report is None:
            self.say("only a kdump file has such a header: of this one the hex view shows the fields", "warning")
            return
        from vmci_tui.tui.screens.header_screen import HeaderScreen

        def chosen(name: str | None) -> None:
            if name:
                self._ask_header(name)

        self.app.push_screen(HeaderScreen(fields, report.fixed), chosen)

    def _ask_header(self, name: str) -> None:
        from vmci_tui.common.safe_text import literal
        from vmci_tui.document import edit_head
        from vmci_tui.formats.fw_cfg_entry import parse_number
        from vmci_tui.tui.screens.header_screen import PHYS_BASE, shown_value

        assert self.document.state.header is not None

        def make(typed: str) -> Edit:
            if name == PHYS_BASE:
                edit = Edit.of(edit_head.set_phys_base, parse_number(typed))
            else:
                edit = Edit.of(edit_head.set_header, name, literal(typed))
            return edit.named(f"set header.{name}={visible(typed)}")

        hint = "decimal, may be negative, or hex with 0x" if name == PHYS_BASE else "at most 64 bytes"
        self._ask_edit(f"{name} in the header", make, shown_value(self.document.state.header, name), hint)

    def action_memory(self) -> None:
        """Guest memory by paddr, where the cursor is, or the entry points, or at its beginning."""
        from vmci_tui.document.memory_document import memory_document
        from vmci_tui.tui.panes.panes import HexPane
        from vmci_tui.tui.screens.memory_screen import MemoryScreen

        dump = self.document.dump
        if dump is None or not dump.guest_memory.size:
            self.say("there is no guest memory in this file", "warning")
            return
        memory, history = dump.guest_memory, self.document.state.entry
        paddr = self.document.layout.memory.paddr_of(self.query_one(HexPane).cursor)
        if paddr is None and history is not None and memory.range_at(history.entry.paddr):
            paddr = history.entry.paddr
        if paddr is None:
            paddr = next(item.paddr for item in memory.ranges if item.offset is not None)
        self.app.push_screen(MemoryScreen(memory_document(dump, self.document.name), paddr))

    def action_repair(self) -> None:
        """Every safe fix in one go, tried first and shown; each is one step of undo."""
        from vmci_tui.tui.screens.repair_screen import RepairScreen

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
                    self.document.edit(step.edit)
                self.group_edits(before, f"repair FILE{' --keep-segments' * screen.keeps_segments}")
                self.show_state()
                self.tell_command()
                self.say(f"{len(repair.steps)} fix(es) made: s saves a copy, u takes each back")

        self.app.push_screen(screen, done)
