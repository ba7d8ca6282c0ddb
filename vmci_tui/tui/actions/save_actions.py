"""Saving from the main screen, and taking the last save in place back."""

from __future__ import annotations

from vmci_tui.common.errors import SaveError, VmciError
from vmci_tui.document.document import Document
from vmci_tui.layers.file import FileSource
from vmci_tui.tui.actions.repair_actions import AdoptActions

_SHOWN = 8
"""Lines of bytes in a question."""


class KeepActions(AdoptActions):
    """Actions that write files."""

    def action_save(self) -> None:
        """Save a copy of the dump, or the entry beside it, whichever was edited; ask where both were."""
        document = self.document
        if document.dump is None or not document.entry_unsaved:
            self._save(document, entry=document.dump is None)
        elif not document.dump_unsaved:
            self._save(document.entry_alone(), entry=True)
        else:
            self._ask_which()

    def action_take_back(self) -> None:
        """Give a file back as it was before its last save in place; asked first, with its name."""
        from vmci_tui.saving.take_back import condition

        document = self.document
        files: list[tuple[FileSource, bool]] = []
        for source in (document.source, document.blob):
            if isinstance(source, FileSource):
                try:
                    now = condition(source.path)[0]
                except VmciError as error:
                    self.say(str(error), "error")
                    return
                if now not in ("none", "untouched"):
                    files.append((source, now == "changed"))
        if not files:
            self.say("there is no save in place to take back", "warning")
            return
        words = [f"Take back {s.name}{', which somebody else changed since' if forced else ''}" for s, forced in files]
        choices = (("stay", "Leave it as it is"), *((str(n), item) for n, item in enumerate(words)))

        def chosen(choice: str | None) -> None:
            if choice and choice != "stay":
                source, forced = files[int(choice)]
                if forced:
                    self._take_back_over(source)
                else:
                    self.vmci.take_back(document, source.path)

        hint = "Edits that are not saved are lost." if document.unsaved else ""
        self.choose("Take back the last save in place?", choices, chosen, hint)

    def _take_back_over(self, source: FileSource) -> None:
        """Show what somebody else wrote where the save did, and ask once more."""
        from vmci_tui.render.undo_report import overwritten_text
        from vmci_tui.saving.take_back import overwritten

        document = self.document
        try:
            lines = list(overwritten_text(overwritten(source.path)))
        except VmciError as error:
            self.say(str(error), "error")
            return
        shown = lines if len(lines) <= _SHOWN else [*lines[:_SHOWN], f"and {len(lines) - _SHOWN} lines more"]

        def chosen(choice: str | None) -> None:
            if choice == "over":
                self.vmci.take_back(document, source.path, force=True)

        choices = (("stay", "Leave it as it is"), ("over", "Overwrite that, and take the save back"))
        self.choose(
            "Others wrote since: what is there now (-), and what was before (+)", choices, chosen, "\n".join(shown)
        )

    def _ask_which(self) -> None:
        choices = (("dump", "Save a copy of the dump"), ("entry", "Save the entry, 16 bytes"))

        def chosen(choice: str | None) -> None:
            if choice == "dump":
                self._save(self.document, entry=False)
            elif choice == "entry":
                self._save(self.document.entry_alone(), entry=True)

        self.choose("The dump and its entry are two files, and both were edited", choices, chosen)

    def _save(self, document: Document, entry: bool) -> None:
        from vmci_tui.saving.plan import plan_copy
        from vmci_tui.tui.screens.save_screen import Outcome, SaveScreen

        def saved(outcome: Outcome | None) -> None:
            if outcome is None:
                return
            self.document.mark_saved(entry)
            self.saved_path = self.saved_path if entry else outcome.path
            self.say(outcome.words if entry else f"{outcome.words}. N: what now")
            if outcome.in_place:
                self.vmci.reopen(self.document)
            else:
                self.show_state()

        try:
            plan = plan_copy(document)
        except SaveError as error:
            self.say(str(error), "error")
            return
        self.app.push_screen(SaveScreen(document, plan, self.vmci.settings.blink), saved)
