"""The data inspector: the bytes at the cursor of the hex view as numbers and text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.message import Message

from vmci_tui.common.safe_text import Safe
from vmci_tui.document.inspected_bytes import (
    HEAD,
    LABEL,
    SHORT,
    InspectedBytes,
    InspectedNumber,
    inspect_at,
    inspected_lines,
)
from vmci_tui.layers.waiting import without_waiting
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.prompts import say
from vmci_tui.tui.style.cells import Row
from vmci_tui.tui.widgets.hex_view import HexView
from vmci_tui.tui.widgets.line_list import LineList

if TYPE_CHECKING:
    from vmci_tui.adoption.kernel_facts import KernelFound


class Inspector(LineList):
    """Numbers at the cursor of the hex view; Enter goes to the address that the chosen number is.

    Where the kernel's own table of symbols is known, a number that is an address of the kernel has its symbol.
    """

    about = "The bytes at the cursor of the hex view as numbers of each width and order, and as text."
    SCOPED_CSS = False
    DEFAULT_CSS = """
    #inspector { border: round $surface-lighten-2; border-title-color: $text-muted; }
    #inspector:focus { border: round $accent; border-title-color: $accent; border-title-style: bold; }
    #inspector:focus:nocolor { border: heavy $accent; }
    .-narrow #inspector { display: none; }
    .-narrow.show-hex #inspector { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "follow", "Follow", "Go to this number: a paddr, or an address of the kernel"),
    ]
    enter_action = "follow"

    class Followed(Message):
        """The user went to the address that a number is, at `offset` of the file."""

        def __init__(self, offset: int) -> None:
            self.offset = offset
            super().__init__()

    def __init__(self, view: HexView, kernel: Callable[[], KernelFound | None]) -> None:
        """`kernel` returns what the kernel's tables in memory say, once they were read."""
        super().__init__(id="inspector", empty="no bytes")
        self.border_title = "Inspector (I or Esc closes)"
        self.inspected: InspectedBytes | None = None
        self._view, self._kernel = view, kernel

    def show_place(self) -> None:
        """Show the byte under the cursor of the hex view."""
        view = self._view
        with without_waiting():  # the view asks for the bytes, and says when they came
            self.inspected = item = inspect_at(view.document, view.places, view.cursor) if view.places else None
        lines = inspected_lines(item, self._symbol) if item is not None else ()
        self.set_rows([_row(at, line) for at, line in enumerate(lines)])

    def _symbol(self, number: InspectedNumber) -> Safe:
        """Return the symbol that a number is the address of; empty if it is not one, or if that is not known."""
        kernel = self._kernel()
        if kernel is None or (number.width, number.order) != (kernel.pointer_size, kernel.order):
            return Safe("")
        from vmci_tui.render.kernel.address_words import symbol_words

        return symbol_words(kernel, number.unsigned)

    def number(self) -> int | None:
        """Return the unsigned number under the cursor."""
        item, at = self.inspected, self.cursor - HEAD
        return item.numbers[at].unsigned if item is not None and 0 <= at < len(item.numbers) else None

    def action_follow(self) -> None:
        number = self.number()
        if number is None:
            say(self, "put the cursor on a number", "warning")
            return
        kernel = self._kernel()
        paddr = None if kernel is None else kernel.symbols.paddr(number)
        paddr = number if paddr is None else paddr
        offset = self._view.document.layout.memory.offset_of(paddr)
        if kernel is not None and kernel.symbols.modules.at(number) is not None:
            say(
                self, f"modules are not in one piece of memory: `vmci hex FILE --vaddr {number:#x}` shows it", "warning"
            )
        elif offset is None:
            say(self, f"paddr {paddr:#x} is not in this dump", "warning")
        else:
            self.post_message(self.Followed(offset))


def _row(at: int, line: Safe) -> Row:
    """Return a label and its value as a row."""
    width = LABEL if at >= HEAD - 1 else SHORT
    return ((line[:width], "dim"), (line[width:], "dim" if at == HEAD - 1 else "key" if at == 1 else "value"))
