"""Key bindings: each has an id, by which the settings change its keys, and most have a help text."""

from __future__ import annotations

from typing import Final, Protocol, runtime_checkable

from textual.binding import Binding

_NAMES: Final = {
    "\u2193": "Down",
    "\u2191": "Up",
    "\u2190": "Left",
    "\u2192": "Right",
    "\u23ce": "Enter",
    "esc": "Esc",
    "space": "Space",
    "tab": "Tab",
}
"""ASCII names for the signs and words by which Textual shows keys."""

GROUPS: Final = {
    "Repair": ("repair", "find", "fix", "set_right", "candidates", "adopt", "readers", "next"),
    "Edit": (
        *("edit", "add", "append", "delete", "drop", "rename", "retype", "move_line", "move_note", "duplicate"),
        *("overwrite", "strip", "undo", "redo", "paste", "templates", "open_entry"),
        *("flip", "machine", "clear"),
    ),
    "Save": ("save", "copy", "commands", "export", "picture"),
    "Move": ("goto", "search", "pane", "bookmark", "next_", "select", "filter", "move", "jump", "page", "to", "row_"),
    "See": (),
}
"""The groups of actions in the help and the list of commands, each with the beginnings of its actions' names."""


def group_of(action: str) -> str:
    """Return the group of an action; the longest beginning decides, and the last group has all others."""
    name = action.split("(")[0].rpartition(".")[2]
    fitting = [(len(start), group) for group, starts in GROUPS.items() for start in starts if name.startswith(start)]
    return max(fitting, default=(0, "See"))[1]


@runtime_checkable
class Choosy(Protocol):
    """A widget or screen that knows which of its keys make sense now."""

    def is_useful(self, action: str) -> bool:
        """Return whether an action would do something now; its key works in any case, and then says why not."""


def key_name(sign: str) -> str:
    """Return a key as Textual shows it, in ASCII."""
    for old, new in _NAMES.items():
        sign = sign.replace(old, new)
    sign = sign.replace("alt+", "Alt+").replace("shift+", "Shift+")
    if sign[:1] == "f" and sign[1:].isdigit():
        return sign.upper()
    return f"Ctrl+{sign[1:].upper()}" if len(sign) > 1 and sign[0] == "^" else sign


def bind(keys: str, action: str, label: str, tip: str, id: str = "", show: bool = True) -> Binding:
    """Return a binding with a help text; its id is its action if none is given."""
    return Binding(keys, action, label, tooltip=tip, id=id or action, show=show)


def moves(what: str) -> tuple[Binding, ...]:
    """Return the keys that move and duplicate a line or a note; the footer hides them."""
    up, down = "alt+up,shift+up,less_than_sign", "alt+down,shift+down,greater_than_sign"
    return (
        bind(up, f"move_{what}(-1)", "Move up", f"Move the {what} up", f"{what}.up", show=False),
        bind(down, f"move_{what}(1)", "Move down", f"Move the {what} down", f"{what}.down", show=False),
        bind("D", f"duplicate_{what}", "Duplicate", f"Duplicate the {what}", show=False),
    )


def _select(key: str, action: str, tip: str = "") -> Binding:
    return bind(f"shift+{key}", action, f"Select {key}", tip, f"hex.select_{key}", show=False)


SELECT: Final = (
    bind(
        "space", "mark", "Select", "Begin to select bytes from here by moving; c copies them", "hex.select", show=False
    ),
    _select("right", "select(1)", "Select bytes, with the other arrows too; c copies them"),
    _select("left", "select(-1)"),
    _select("down", "select_rows(1)"),
    _select("up", "select_rows(-1)"),
)
"""For a view that can copy bytes; after its own keys, for the help. Space works where shift and arrows are lost."""
EXPLAIN: Final = bind(
    "i",
    "screen.explain",
    "Explain",
    "Explain what is under the cursor: a key, a finding, a reader, a note, a byte",
    "explain",
)
"""For all panes; after Enter where it is used most."""
OPEN_ENTRY: Final = (
    bind("E", "screen.open_entry", "Open entry", "Open the entry of this dump", "open_entry"),
    bind(
        "p",
        "screen.paste_entry",
        "Paste",
        "Paste an entry that gdb printed, or /sys/kernel/vmcoreinfo",
        "paste_entry",
        show=False,
    ),
)
"""For the panes that show the entry, or say that none is open."""
TRIES: Final = (
    bind("Q", "ask_qemu", "QEMU", "Ask a real QEMU what it does with this entry and note"),
    bind("w", "add_write", "Add write", "Add a write of the guest"),
    bind("T", "templates", "Templates", "Add writes by a template: whole, halves, 15 bytes, 1 MiB + 1"),
)
"""For the panes that show the entry, and what QEMU will do with it."""


HEX_MOVES: Final = (
    Binding("down,j", "move_rows(1)", "Down", show=False, id="hex.down"),
    Binding("up,k", "move_rows(-1)", "Up", show=False, id="hex.up"),
    Binding("right,l", "move(1)", "Right", show=False, id="hex.right"),
    Binding("left,h", "move(-1)", "Left", show=False, id="hex.left"),
    Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="hex.pagedown"),
    Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="hex.pageup"),
    Binding("home", "row_start", "Row start", show=False, id="hex.home"),
    Binding("end", "row_end", "Row end", show=False, id="hex.end"),
    Binding("ctrl+home", "to(0)", "First byte", show=False, id="hex.first"),
    Binding("ctrl+end,G", "to(-1)", "Last byte", show=False, id="hex.last"),
    Binding("right_square_bracket", "next_place(1)", "Next field", show=False, id="hex.next"),
    Binding("left_square_bracket", "next_place(-1)", "Previous field", show=False, id="hex.previous"),
)
"""The keys that move the cursor of a hex view."""
