"""Key bindings: each has an id, by which the settings change its keys, and most have a help text."""

from __future__ import annotations

from textual.binding import Binding


def bind(keys: str, action: str, label: str, tip: str, id: str = "", show: bool = True) -> Binding:
    """Return a binding with a help text; its id is its action if none is given."""
    return Binding(keys, action, label, tooltip=tip, id=id or action, show=show)


def moves(what: str) -> tuple[Binding, ...]:
    """Return the keys that move and duplicate a line or a note; the footer hides them."""
    return (
        Binding("K,shift+up", f"move_{what}(-1)", "Up", tooltip=f"Move the {what} up", id=f"{what}.up", show=False),
        Binding(
            "J,shift+down", f"move_{what}(1)", "Down", tooltip=f"Move the {what} down", id=f"{what}.down", show=False
        ),
        bind("D", f"duplicate_{what}", "Duplicate", f"Duplicate the {what}", show=False),
    )
