"""The meaning of each key of the vmcoreinfo text: data in glossary.toml, read at the first use.

The facts of a key come from its form (`SYMBOL(NAME)`), its group and its own table, so that nothing
is written twice; a key without a table still has the facts of its form.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

from vmci_tui.common.packaged import packaged_toml
from vmci_tui.common.safe_text import Safe, visible

Unit = Literal[
    "address", "bytes", "count", "bit", "bits", "flag", "mask", "seconds", "release", "build-id", "text"
]  # fmt: skip
"""The unit of a value: `bit` is the number of one bit, `bits` is a size as a power of two."""

_PATTERN: Final = re.compile(rb"(SYMBOL|SIZE|OFFSET|LENGTH|NUMBER|SRCFILE)\((.+)\)\Z", re.S)
_LAYERS: Final = ("what", "written", "base", "unit", "since", "gone_in", "machines", "when", "note", "see")


class KeyInfo(NamedTuple):
    """All that is known of a key. Versions of Linux are None if they are not known for certain."""

    key: Safe
    form: str
    """For example `OFFSET(STRUCT.MEMBER)`; the key itself if it has a form of its own."""
    known: bool
    """False: only the form is known, not the key."""
    what: str
    """One sentence."""
    written: str
    """The whole line as a printf format."""
    base: int
    """10 or 16; 0 if the value is not a number."""
    unit: Unit
    since: str | None
    gone_in: str | None
    """The first kernel that no longer writes it."""
    machines: tuple[str, ...]
    """The machines that write it; empty: all."""
    when: str | None
    """The kernel configuration that it needs."""
    formulas: tuple[tuple[str, str], ...]
    """(machine or `all`, formula)"""
    note: str | None
    breaks: tuple[tuple[str, str], ...]
    """(reader, what happens if the key is wrong or missing)"""
    see: tuple[str, ...]
    """Related keys."""


class Match(NamedTuple):
    """A key that a search found."""

    entry: KeyInfo
    because: Safe
    """The remark that has the word; empty if name and description have it."""


@lru_cache(maxsize=512)
def explain(key: bytes) -> KeyInfo | None:
    """Return the facts of `key`, at least those of its form; None if Linux writes no key of this form."""
    form, parts = _form_of(key)
    own = _tables().keys.get(key)
    if own is None and form is None:
        return None
    layers = [] if form is None else [_tables().forms[form]]
    if own is not None:
        layers += [_tables().groups[own["group"]]] if "group" in own else []
        layers.append(own)
    merged: dict[str, Any] = {}
    formulas: dict[str, str] = {}
    breaks: dict[str, str] = {}
    for layer in layers:
        merged.update({name: layer[name] for name in _LAYERS if name in layer})
        formulas.update(layer.get("formula", {}))
        breaks.update(layer.get("breaks", {}))
    shown = visible(key)
    return KeyInfo(
        key=shown,
        form=_tables().forms[form]["shape"] if form else shown,
        known=own is not None,
        what=_sentence(
            *([] if form is None else [_tables().forms[form]["what"].format(**parts)]),
            *([] if own is None else [own["what"]]),
        ),
        written=f"{shown}={merged['written']}",
        base=merged["base"],
        unit=merged["unit"],
        since=merged.get("since"),
        gone_in=merged.get("gone_in"),
        machines=tuple(merged.get("machines", ())),
        when=merged.get("when"),
        formulas=tuple(formulas.items()),
        note=_line(merged["note"]) if "note" in merged else None,
        breaks=tuple((reader, _line(text)) for reader, text in breaks.items()),
        see=tuple(merged.get("see", ())),
    )


def terms(said: str) -> tuple[tuple[str, str], ...]:
    """Return the technical terms in `said`, each with its meaning."""
    return tuple((word, meaning) for word, meaning in _tables().terms.items() if word in said)


def known_keys() -> tuple[bytes, ...]:
    """Return every key that has a table or a line of its own, in the order of the file."""
    return tuple(_tables().keys)


def search(text: str) -> tuple[Match, ...]:
    """Return the keys whose name, description or remarks have all words of `text`, best first."""
    words = text.lower().split()
    ranked = [
        (sum(_rank(word, texts) for word in words), key, texts)
        for key, texts in _search_texts()
        if words and all(word in said for word in words for said in ["\n".join(texts).lower()])
    ]
    out = []
    for _, key, (name, what, *remarks) in sorted(ranked, key=lambda item: item[0]):
        entry = explain(key)
        assert entry is not None
        hidden = [word for word in words if word not in f"{name}\n{what}".lower()]
        because = (remark for remark in remarks if any(word in remark.lower() for word in hidden))
        out.append(Match(entry, visible(next(because, ""))))
    return tuple(out)


def _rank(word: str, texts: tuple[str, ...]) -> float:
    """Return how far a word is from the key itself: 0 for its name, below 1 for its description, then remarks."""
    name, what = texts[0].lower(), texts[1].lower()
    if word in name:
        return 0 if re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", name) else 0.1
    return 0.2 + min(what.index(word), 500) / 1000 if word in what else 1


def named(name: bytes) -> tuple[bytes, ...]:
    """Return the known keys of a bare name: `phys_base` of NUMBER(phys_base); upper and lower case are the same."""
    bare = name.lower()
    names = ((key, key.partition(b"(")[2].removesuffix(b")")) for key in known_keys())
    return tuple(key for key, inner in names if bare in (key.lower(), inner.lower()))


def nearest(key: bytes, count: int = 5) -> tuple[Safe, ...]:
    """Return known keys similar to `key`: first those that contain it, then those with a similar spelling."""
    name = key.decode("latin-1").lower()
    names = {known.decode().lower(): known for known in known_keys()}
    holds = [known for known in names if name and name in known]
    alike = difflib.get_close_matches(name[:200], names, count)
    inner = {known.partition("(")[2].rstrip(")"): known for known in names if "(" in known}
    alike += [inner[match] for match in difflib.get_close_matches(name[:200], inner, count)]
    return tuple(visible(names[match]) for match in dict.fromkeys(holds + alike))[:count]


class _GlossaryTables(NamedTuple):
    forms: dict[str, dict[str, Any]]
    groups: dict[str, dict[str, Any]]
    keys: dict[bytes, dict[str, Any]]
    terms: dict[str, str]


@lru_cache(maxsize=1)
def _tables() -> _GlossaryTables:
    read = packaged_toml(__package__, "glossary.toml")
    keys = {
        key.encode(): {"group": name, "what": what}
        for name, group in read["group"].items()
        for key, what in group.get("keys", {}).items()
    }
    own = {key.encode(): lines for key, lines in read["key"].items()}
    return _GlossaryTables(read["form"], read["group"], keys | own, read["term"])


@lru_cache(maxsize=1)
def _search_texts() -> tuple[tuple[bytes, tuple[str, ...]], ...]:
    """Return each key with its name, its description and its remarks."""
    out = []
    for key in known_keys():
        entry = explain(key)
        assert entry is not None
        broken = (f"{reader}, if wrong or missing: {words}" for reader, words in entry.breaks)
        out.append((key, (entry.key, entry.what, entry.note or "", *broken, ", ".join(entry.machines))))
    return tuple(out)


def _form_of(key: bytes) -> tuple[str | None, dict[str, str]]:
    """Return the form's name and the names in the key, which come from the note and pass through `visible`."""
    match = _PATTERN.match(key)
    if match is not None:
        struct, dot, member = match[2].partition(b".")
        if match[1] == b"OFFSET" and not dot:
            return None, {}
        return match[1].decode(), {"name": visible(match[2]), "struct": visible(struct), "member": visible(member)}
    if key.startswith(b"CONFIG_") and len(key) > len(b"CONFIG_"):
        return "CONFIG", {"name": visible(key)}
    return None, {}


def _sentence(*parts: str) -> str:
    return _line(": ".join(parts) + ".")


def _line(text: str) -> str:
    return " ".join(text.split())
