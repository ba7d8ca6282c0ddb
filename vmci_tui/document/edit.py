"""Describe an edit as a value: the function that changes the state, and its arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Concatenate, Final, NamedTuple, ParamSpec, TypeVar, cast

from vmci_tui.common.safe_text import visible
from vmci_tui.document.state import State

if TYPE_CHECKING:
    from types import FunctionType

P = ParamSpec("P")
Effect = Callable[..., State]
"""A function from a state and arguments to the next state. Raises EditError if it does not apply."""
F = TypeVar("F", bound=Effect)

_LABELS: dict[Effect, str | Callable[..., str]] = {}


_LONGEST: Final = 120
"""Characters of an argument in a label."""


def labelled(words: str | Callable[..., str]) -> Callable[[F], F]:
    """Give an effect its label: a text with the arguments' names in braces, or a function of the arguments."""

    def keep(effect: F) -> F:
        _LABELS[effect] = words
        return effect

    return keep


class Edit(NamedTuple):
    """One change of a state. Its label, its effect and its shell command are made from it."""

    effect: Effect
    """One of the functions of `edit_text`, `edit_notes`, `edit_entry`, `edit_headers`."""
    arguments: tuple[tuple[str, object], ...]
    """The arguments of the effect after the state, by name."""
    words: str = ""
    """A label to show instead of the edit's own; empty for none."""

    @classmethod
    def of(cls, effect: Callable[Concatenate[State, P], State], *args: P.args, **named: P.kwargs) -> Edit:
        """Return the edit that calls `effect` with these arguments."""
        names = cast("FunctionType", effect).__code__.co_varnames[1:]
        given = dict(zip(names, args, strict=False)) | named
        return cls(effect, tuple((name, given[name]) for name in names if name in given))

    def named(self, words: str) -> Edit:
        """Return the same edit under another label."""
        return self._replace(words=words)

    @property
    def label(self) -> str:
        """The edit's name for undo, the plan and the status line."""
        if self.words:
            return self.words
        own, shown = _LABELS[self.effect], {name: _shown(value) for name, value in self.arguments}
        return own.format(**shown) if isinstance(own, str) else own(**shown)

    def apply(self, state: State) -> State:
        """Return the next state. Raises EditError if the edit cannot be made."""
        return self.effect(state, **dict(self.arguments))


def _shown(value: object) -> object:
    """Return an argument as a label shows it: a long text is cut, because a dialog must have room for its buttons."""
    if not isinstance(value, bytes | str):
        return value
    text = visible(value[: _LONGEST + 1])
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}.. ({len(value)} in all)"


@labelled(lambda edits: "; ".join(edit.label for edit in edits))
def several(state: State, edits: tuple[Edit, ...]) -> State:
    """Return the state after several edits, made in order as one."""
    for edit in edits:
        state = edit.apply(state)
    return state
