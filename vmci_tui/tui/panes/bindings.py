"""The keys of panes: each has an id by which settings give it other keys, and most have a line of help."""

from __future__ import annotations

from textual.binding import Binding


def bind(keys: str, action: str, label: str, tip: str, show: bool = True) -> Binding:
    """A key of a pane; its id names the action."""
    return Binding(keys, action, label, tooltip=tip, id=action, show=show)


def moves(what: str) -> tuple[Binding, ...]:
    """The keys that move and duplicate a line or a note; none of them stands in the footer."""
    return (
        Binding("K,shift+up", f"move_{what}(-1)", "Up", tooltip=f"Move the {what} up", id=f"{what}.up", show=False),
        Binding(
            "J,shift+down", f"move_{what}(1)", "Down", tooltip=f"Move the {what} down", id=f"{what}.down", show=False
        ),
        bind("D", f"duplicate_{what}", "Twice", f"Duplicate the {what}", show=False),
    )
