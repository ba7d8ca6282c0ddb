"""The fault bench: the user picks faults and sees every reader's verdict and the findings at once."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from vmci_tui.bench import DEFECTS, MACHINES, Crafted, Defect, attempt, clash, excluded_by
from vmci_tui.bench.manifest import names, save
from vmci_tui.common.errors import VmciError
from vmci_tui.common.safe_text import typed_path
from vmci_tui.findings.catalogue import GROUPS, catalogue
from vmci_tui.readers.verdicts import VerdictPair
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.guarded import Guarded, stands
from vmci_tui.tui.host import host
from vmci_tui.tui.style.cells import Row, plain, safe
from vmci_tui.tui.widgets.dialogs import Ask
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine
from vmci_tui.tui.widgets.verdict_strip import VerdictLine

_NAME = max(len(item.name) for item in DEFECTS)
"""Cells of the longest name."""
_BOX = 5
"""Cells at the start of a line where a click toggles it: a blank and `[x] `."""
BenchItem = Defect | str
"""A line of the list: a defect, or the heading of a group."""


class DefectList(LineList):
    """A click on a box toggles it; a click elsewhere only moves the cursor."""

    def on_click(self, event: events.Click) -> None:
        x, y = event.get_content_offset_capture(self)
        index = self.top + y
        if x < _BOX and 0 <= index < len(self.rows):
            event.prevent_default()  # else Textual also calls the base class's handler
            event.stop()
            self._go(index)
            self.action_choose()


class BenchScreen(Guarded, Screen[None]):
    """Makes a dump, note and entry with the chosen faults; saves or opens them."""

    about = (
        "Fault bench: a good guest with the faults that you pick in its dump, note and entry. The strip shows every "
        "reader's verdict at once; you can save the files with a manifest of these verdicts."
    )
    SCOPED_CSS = False
    DEFAULT_CSS = """
    BenchScreen #filter { height: 1; border: none; padding: 0 1; display: none; }
    BenchScreen.filtering #filter { display: block; }
    BenchScreen #defects { border: round $surface-lighten-2; height: 1fr; }
    BenchScreen #defects:focus { border: round $accent; border-title-color: $accent; }
    BenchScreen #told { border: round $surface-lighten-2; padding: 0 1; height: 40%; }
    BenchScreen #told:focus { border: round $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("space,enter", "flip", "Toggle", "Add or remove this fault", "craft.toggle"),
        bind("right", "machine", "Machine", "Next guest: x86-64, i386, aarch64, s390x", "craft.machine"),
        bind("x", "clear", "None", "Remove all faults", "craft.clear"),
        bind("s", "save", "Save", "Save dump, entry, note and manifest to a folder", "craft.save"),
        bind("o", "open", "Open it", "Save and open the dump with its entry", "craft.open"),
        bind("c", "copy", "Command", "Copy the shell command for these files", "craft.copy"),
        bind("right_square_bracket", "group(1)", "Next group", "Go to the next group", "craft.next", False),
        bind("left_square_bracket", "group(-1)", "Previous group", "Go to the previous group", "craft.previous", False),
        bind("slash", "filter", "Filter", "Show only faults with a text", "craft.filter"),
        bind("escape,q", "back", "Back", "Show all faults again, or go back", "craft.back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._saved: tuple[Crafted, str] | None = None
        """The files that were saved last, and their folder."""
        self._lines = list(_listed())
        self._chosen: tuple[Defect, ...] = ()
        self._made: Crafted = attempt(())
        self._clash: str | None = None
        """Why one of the faults has no effect."""
        self._excluded: dict[str, str] = {}
        """By the name of a fault that is not chosen: the chosen one that it does not go with."""

    def compose(self) -> ComposeResult:
        yield StatusLine("", id="title")
        yield VerdictLine(id="strip")
        filter_line = Input(id="filter", placeholder="a part of a code, a name or a sentence")
        filter_line.cursor_blink = host(self).settings.blink
        yield filter_line
        yield DefectList(id="defects", empty="no fault has this text: Esc shows all")
        with VerticalScroll(id="told"):
            yield Static(id="words")
        yield StatusLine("", id="status")
        yield KeyFooter()

    def on_mount(self) -> None:
        listed = self.query_one("#defects", LineList)
        listed.border_title = "Faults"
        self.watch(listed, "top", self._find_excluded, init=False)
        self._show()
        listed.select(1)
        self._show_fault()
        listed.focus()

    def on_resize(self) -> None:
        self.query_one(VerdictLine).show(VerdictPair(self._made.verdicts, self._made.verdicts))

    def _show(self) -> None:
        """Show everything that depends on the chosen faults."""
        made = self._made
        count = f"{len(self._chosen)} fault{'' if len(self._chosen) == 1 else 's'}" if self._chosen else "no fault"
        title = f"Craft a faulty dump: {made.parts.machine}, {count}, {len(made.dump)} bytes"
        self.query_one("#title", StatusLine).set_text(title)
        self._show_rows()
        self.query_one(VerdictLine).show(VerdictPair(made.verdicts, made.verdicts))
        self.query_one("#status", StatusLine).set_text(f"$ {made.command}")
        self._show_fault()

    def _show_rows(self) -> None:
        self.query_one("#defects", LineList).set_rows([self._row(line) for line in self._lines])

    def _row(self, line: BenchItem) -> Row:
        if isinstance(line, str):
            return ((line, "title"),)
        name = f"{line.name:<{_NAME}} "
        if line in self._chosen:
            style = "warning" if line in self._made.hidden else "good"
            return ((" [x] ", style), (f"{line.code} ", "key"), (name, style), (line.does, "dim"))
        why = f"not with {self._excluded[line.name]}: " if line.name in self._excluded else ""
        if self._made.parts.machine not in line.machines:
            why = f"only on {', '.join(line.machines)}: "
        return (
            (" [ ] ", "dim"), (f"{line.code} ", "key"), (name, "dim" if why else "value"), (why, "warning"),
            (line.does, "dim"),
        )  # fmt: skip

    def _find_excluded(self) -> None:
        """Find out in a thread which of the visible faults do not go with the chosen ones."""
        if not self._chosen:
            return
        listed = self.query_one("#defects", LineList)
        shown = self._lines[listed.top : listed.top + max(listed.size.height, 1)]
        machine, chosen = self._made.parts.machine, self._chosen
        items = [item for item in shown if isinstance(item, Defect) and item not in chosen and machine in item.machines]

        def find() -> None:
            worker, found = get_current_worker(), {}
            for item in items:
                if worker.is_cancelled:
                    return
                other = excluded_by(item, chosen, machine)
                if other is not None:
                    found[item.name] = other.name
            self.app.call_from_thread(self._show_excluded, chosen, machine, found)

        self.run_worker(find, thread=True, exclusive=True, group="excluded")

    def _show_excluded(self, chosen: tuple[Defect, ...], machine: str, found: dict[str, str]) -> None:
        if stands(self) and (chosen, machine) == (self._chosen, self._made.parts.machine):
            self._excluded |= found
            self._show_rows()

    # The filter

    def action_filter(self) -> None:
        """Show the line for the filter."""
        self.add_class("filtering")
        self.query_one("#filter", Input).focus()

    @on(Input.Changed, "#filter")
    def _filter(self, event: Input.Changed) -> None:
        self._lines = list(_listed(event.value.lower()))
        self._show_rows()
        self.query_one("#defects", LineList).select(1)
        self._show_fault()
        self._find_excluded()

    @on(Input.Submitted, "#filter")
    def _filtered(self) -> None:
        self.query_one("#defects", LineList).focus()

    def action_back(self) -> None:
        """Show all faults again; go back if they are all shown."""
        field = self.query_one("#filter", Input)
        if not self.has_class("filtering"):
            self.app.pop_screen()
            return
        self.remove_class("filtering")
        current = self._current
        field.value = ""
        self._lines = list(_listed())
        self._show_rows()
        listed = self.query_one("#defects", LineList)
        listed.select(self._lines.index(current) if current in self._lines else 1)
        listed.focus()

    @property
    def _current(self) -> BenchItem:
        return self._lines[self.query_one("#defects", LineList).cursor] if self._lines else ""

    @on(LineList.Moved, "#defects")
    def _show_fault(self) -> None:
        self.query_one("#words", Static).update(plain("\n".join(fault_lines(self._current, self._made, self._clash))))
        self.query_one("#told").scroll_home(animate=False)

    @on(LineList.Chosen, "#defects")
    def action_flip(self) -> None:
        """Add or remove the fault under the cursor; change the guest if this one cannot have the fault."""
        item = self._current
        if isinstance(item, str):
            return
        if item in self._chosen:
            self._make(tuple(other for other in self._chosen if other is not item), self._made.parts.machine)
            return
        both = (*self._chosen, item)
        machine = self._made.parts.machine
        self._make(both, machine if machine in item.machines else None, item)

    def action_clear(self) -> None:
        self._make((), self._made.parts.machine)

    def action_machine(self) -> None:
        """Change to the next guest, without the faults that it cannot have."""
        machine = MACHINES[(MACHINES.index(self._made.parts.machine) + 1) % len(MACHINES)]
        kept = tuple(item for item in self._chosen if machine in item.machines)
        if (left := len(self._chosen) - len(kept)) > 0:
            self.notify(f"{left} of the faults cannot be made on {machine}", severity="warning", markup=False)
        self._make(kept, machine)

    def action_group(self, by: int) -> None:
        """Go to the first fault of the next or previous group."""
        listed = self.query_one("#defects", LineList)
        starts = [index + 1 for index, line in enumerate(self._lines) if isinstance(line, str)] or [0]
        here = sum(start <= listed.cursor for start in starts) - 1
        listed.select(starts[(here + by) % len(starts)])
        listed.top = listed.cursor - 1
        self._show_fault()

    def _make(self, chosen: tuple[Defect, ...], machine: str | None, added: Defect | None = None) -> None:
        try:
            made = attempt(chosen, machine)
        except VmciError as error:
            self.notify(safe(str(error)), severity="error", markup=False)
            return
        if made.parts.machine != self._made.parts.machine and machine is None:
            self.notify(f"the guest is now {made.parts.machine}", markup=False)
        self._chosen, self._made = chosen, made
        self._clash, self._excluded = clash(made), {}
        other = excluded_by(added, chosen, made.parts.machine) if added is not None else None
        if self._clash is None and added is not None and other is not None:
            self._clash = f"{added.code} {added.name} does not go with {other.code} {other.name}"
        self._show()
        self._find_excluded()

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._made.command)
        self.notify(f"copied: {self._made.command}", markup=False)

    def action_open(self) -> None:
        """Open the dump and its entry; if they are not saved yet, ask for a folder first."""
        if self._saved is not None and self._saved[0] is self._made:
            self._show_file(*self._saved)
        else:
            self._ask("Save to a folder, and open", lambda: self._show_file(*(self._saved or (self._made, "."))))

    def action_save(self) -> None:
        self._ask("Save to a folder", lambda: None)

    def _show_file(self, made: Crafted, folder: str) -> None:
        named = names(made)
        host(self).open(os.path.join(folder, named.dump), named.entry and os.path.join(folder, named.entry))

    def _ask(self, title: str, then: Callable[[], None]) -> None:
        made = self._made

        def accept(typed: str) -> None:
            folder = typed_path(typed) or "."
            host(self).refuse_outside(folder)
            save(made, folder)
            self._saved = made, folder
            self.query_one("#status", StatusLine).set_text(f"$ {made.command} -o {safe(shlex.quote(folder))}")
            self.notify(safe(f"saved {names(made).dump} and its files in {folder}"), markup=False)

        def done(saved: bool | None) -> None:
            if saved:
                then()

        hint = f"a folder for {made.stem}.*; existing files are not overwritten"
        self.app.push_screen(Ask(title, accept, self._folder, hint), done)

    @property
    def _folder(self) -> str:
        return self._saved[1] if self._saved else "crafted"


def _listed(text: str = "") -> Iterator[BenchItem]:
    """Yield the defects with a text by code, each group below its heading with their number."""
    codes = list(catalogue())
    for group in dict.fromkeys(code[0] for code in codes):
        items = [
            item for code in codes if code[0] == group for item in DEFECTS if item.code == code and _has(item, text)
        ]
        if items:
            yield f"{GROUPS[group]} ({len(items)})"
            yield from items


def _has(item: Defect, text: str) -> bool:
    return text in f"{item.code} {item.name} {item.does}".lower()


def fault_lines(line: BenchItem, made: Crafted, why: str | None = None) -> list[str]:
    """Return text about the fault under the cursor and all findings; `why` one of the faults has no effect."""
    out = [f"{why}: remove one of them", ""] if why else []
    if isinstance(line, Defect):
        kind = catalogue()[line.code]
        out += [f"{line.code} {line.name}: {line.does}", "", f"{kind.severity}: {kind.what}: {kind.why}"]
        if line.beside:
            out.append(f"With it always: {', '.join(line.beside)}")
        if len(line.machines) < len(MACHINES):
            out.append(f"Made on: {', '.join(line.machines)}")
        out.append("")
    if not made.findings:
        return [*out, "Now: no findings"]
    out.append(f"Now {len(made.findings)} finding{'' if len(made.findings) == 1 else 's'}:")
    for item in made.findings:
        refuse = dict.fromkeys(reader.reader for reader in item.readers if reader.refuses)
        out.append(f"  {item.code} {item.message}" + (f"\n      rejected by: {', '.join(refuse)}" if refuse else ""))
    return out
