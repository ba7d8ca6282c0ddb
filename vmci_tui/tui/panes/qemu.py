"""The pane of what QEMU will do with the entry, in the oldest and the newest known version side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar, Final

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.readers.qemu.dump_steps import DumpStep, DumpSteps, dump_steps
from vmci_tui.tui.bindings import TRIES
from vmci_tui.tui.session import Session
from vmci_tui.tui.style.cells import Row
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.useful_actions import is_refused

if TYPE_CHECKING:
    from textual.binding import BindingType
    from textual.widget import Widget

    from vmci_tui.document.state import State
    from vmci_tui.formats.fw_cfg_entry import EntryHistory
    from vmci_tui.qemu.ask import Answer

_LABEL: Final = 9
_GAP: Final = 2
_STYLES: Final = {True: "good", False: "error", None: "dim"}
_UNASKED: Final = "Q asks a real QEMU"
LINES: Final = 8
"""Lines of the table with its heading."""


def step_rows(columns: Sequence[DumpSteps], width: int) -> list[Row]:
    """Return a table with a heading: a line a step, a column a version. A cell that is cut ends with `~`."""
    if not columns:
        return []
    room = max(width - _LABEL, len(columns) * 4)
    wide = room // len(columns)
    heads = [(_padded(visible(f"QEMU {column.version}"), wide), "title") for column in columns]
    rows: list[Row] = [((" " * _LABEL, "dim"), *heads)]
    steps = zip_longest(*(column.steps for column in columns), fillvalue=DumpStep("", Safe(""), None))
    for line in steps:
        name = line[0].name
        differ = len({step.says for step in line if step.passes is not None}) > 1
        shown = [(_padded(step.says or Safe("-"), wide), _STYLES[step.passes] if step.says else "dim") for step in line]
        rows.append(((f"{name:<{_LABEL - 2}}{'!' if differ else ' '} ", "key"), *shown))
    return rows


def _padded(words: str, width: int) -> str:
    room = width - _GAP
    return (words if len(words) <= room else words[: room - 1] + "~").ljust(width)


class QemuPane(LineList):
    """The steps of QEMU, for an entry alone and for that of a dump."""

    DEFAULT_CLASSES = "pane"

    about = (
        "What QEMU will do: the checks of dump-guest-memory in their order, by the rules of the oldest and the newest "
        "known QEMU, and what it appends and warns about. QEMU does not get to lines with a dash."
    )

    BINDINGS: ClassVar[list[BindingType]] = [*TRIES]

    def __init__(self, session: Session) -> None:
        super().__init__(id="qemu")
        self.session = session
        self._asked: tuple[State, DumpSteps] | None = None
        self._known: tuple[EntryHistory | None, tuple[DumpSteps, ...]] = None, ()
        """The steps for an entry: memory does not change, and is read again only for another entry."""

    def is_useful(self, action: str) -> bool:
        """Return whether an action would do something: a running VM is not edited."""
        return not is_refused(action, self.session)

    async def action_ask_qemu(self) -> None:
        await self._entry.run_action("ask_qemu")

    async def action_add_write(self) -> None:
        await self._entry.run_action("add_write")

    async def action_templates(self) -> None:
        await self._entry.run_action("templates")

    @property
    def _entry(self) -> Widget:
        """The pane of the entry, which does what the keys say."""
        return self.screen.query_one("#entry")

    def show_state(self) -> None:
        """Show what QEMU does with the current state, and what the real one did if it was asked about this one."""
        document = self.session.document
        if self._known[0] is not document.state.entry:
            self._known = document.state.entry, dump_steps(document)
        columns = self.columns
        self.set_rows(step_rows(columns, self.size.width))
        self.border_subtitle = "" if len(columns) > 2 else _UNASKED

    @property
    def columns(self) -> tuple[DumpSteps, ...]:
        """Return the steps of each version, and those of the real QEMU if it was asked about this state."""
        asked = self._asked
        return (*self._known[1], *((asked[1],) if asked and asked[0] == self.session.document.state else ()))

    def on_resize(self) -> None:
        self.show_state()

    def show_answer(self, state: State, answer: Answer) -> None:
        """Add what a real QEMU did with a state; it is shown until the entry is edited."""
        seen = answer.seen
        unseen = (DumpStep(name, Safe(""), None) for name in ("present", "size", "format", "reads", "note"))
        appended = "nothing" if seen.appended is None else f"{len(seen.appended)} bytes, a note of ours"
        warned = "; ".join(seen.warnings) or "nothing"
        results = (
            DumpStep("appends", visible(appended), seen.appended is not None),
            DumpStep("warns", visible(warned), not seen.warnings),
        )
        self._asked = state, DumpSteps(f"{answer.version}, asked", (*unseen, *results))
        self.show_state()
