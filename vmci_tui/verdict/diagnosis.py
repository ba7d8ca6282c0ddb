"""What the verdict line shows: a sentence, a detail and the keys that help, each in longer and shorter words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from vmci_tui.common.safe_text import Safe, visible

Tone = Literal["good", "warning", "error", "dim"]
Action = Literal["repair", "find", "save", "undo", "next", "append", "readers"]
"""An action of the main screen, which a key of the user's choice does from any pane."""
GAP: Final = 3
"""Cells between two parts of the second row, at least."""


class Offer(NamedTuple):
    """A key that helps now, and what it does."""

    action: Action
    words: Safe
    brief: Safe
    """The same in a few words."""


class Diagnosis(NamedTuple):
    """The verdict on the current state of a file."""

    tone: Tone
    sentence: tuple[Safe, ...]
    """Who can use the file, and why not: in full, then shorter."""
    detail: tuple[Safe, ...] = ()
    """What is known about the way out, or what is not saved: in full, then shorter."""
    offers: tuple[Offer, ...] = ()
    """The keys that help, the best one first."""


class Fitted(NamedTuple):
    """A diagnosis in the longest words that fit into a width; what does not fit ends in `..`."""

    sentence: Safe
    detail: Safe
    offers: tuple[tuple[Offer, Safe], ...]
    """Each with its text: `[R] Repair`."""


CHECKING: Final = Diagnosis("dim", (Safe("Checking what readers make of this file ..."), Safe("Checking ...")))
FAILED: Final = Diagnosis("dim", (Safe("There is no verdict: judging this file failed."), Safe("There is no verdict.")))


def offer(action: Action, words: str, brief: str = "") -> Offer:
    """Return an offer; its words are their own short form if there is no other."""
    return Offer(action, visible(words), visible(brief or words))


def fitted(shown: Diagnosis, keys: Mapping[str, str], width: int) -> Fitted:
    """Return the words that fit into two rows of `width` cells; `keys` names the key of each action.

    Keys come before the detail: these get shorter words only if nothing else fits.
    """
    sentence = _longest(shown.sentence, width)
    forms = [[(item, _offer_text(item, keys, brief)) for item in shown.offers] for brief in (False, True)]
    room = [width - sum(len(text) + GAP for _, text in form) for form in forms]
    for form, left in zip(forms, room, strict=True):
        for detail in shown.detail:
            if len(detail) <= left:
                return Fitted(sentence, detail, tuple(form))
    form, left = (forms[0], room[0]) if room[0] >= -GAP else (forms[1], room[1])
    while len(form) > 1 and left < -GAP:
        left += len(form.pop()[1]) + GAP
    detail = _longest(shown.detail, left) if left >= 24 else Safe("")
    return Fitted(sentence, detail, tuple((item, _cut(text, width)) for item, text in form))


def _offer_text(item: Offer, keys: Mapping[str, str], brief: bool) -> Safe:
    return Safe(f"[{keys.get(item.action, '?')}] {item.brief if brief else item.words}")


def _longest(forms: Sequence[Safe], width: int) -> Safe:
    """Return the first form that fits, else the last one, cut."""
    fits = next((form for form in forms if len(form) <= width), None)
    return fits if fits is not None else _cut(forms[-1], width) if forms else Safe("")


def _cut(text: Safe, width: int) -> Safe:
    return text if len(text) <= width else Safe((text[: max(width - 2, 0)] + "..")[:width])
