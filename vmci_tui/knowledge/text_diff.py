"""Two vmcoreinfo texts compared key by key, and the meaning of their differences.

The text that readers read is compared, and the values in the headers of the notes:
the byte order of a header says nothing about the guest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.knowledge.glossary import explain
from vmci_tui.knowledge.kernel_width import machine_of
from vmci_tui.knowledge.key_values import decode

Kind = Literal["same", "form", "values", "crash", "boot", "kernel"]
"""The most significant difference: none; the form of the same keys; values; CRASHTIME, which a panic
adds; addresses of another boot; another kernel."""

_PLACES: Final = (
    b"NUMBER(phys_base)",
    b"NUMBER(kimage_voffset)",
    b"NUMBER(PHYS_OFFSET)",
    b"NUMBER(phys_ram_base)",
    b"NUMBER(va_kernel_pa_offset)",
    b"KERNELOFFPHYS",
    b"IDENTITYBASE",
)
"""Where the kernel is in memory; like KERNELOFFSET and the symbols, these may differ at each boot."""
_SHOWN: Final = 60
"""Characters of a value that a sentence shows."""
_NUMBER: Final = re.compile(rb"(-?)(?:0x)?([0-9a-f]{1,16})\Z", re.I)


class KeyChange(NamedTuple):
    """A key with different values; if it is in several lines, with all its values."""

    key: bytes
    a: bytes | None
    b: bytes | None

    @property
    def change(self) -> Literal["added", "gone", "changed"]:
        return "added" if self.a is None else "gone" if self.b is None else "changed"


class TextDiff(NamedTuple):
    """The differences between A and B; `summary` has sentences that are safe to show, the most significant first."""

    kind: Kind
    summary: tuple[str, ...]
    keys: tuple[KeyChange, ...]
    """In the order of A; keys that only B has come last."""

    @property
    def same(self) -> bool:
        """Whether the texts are equal byte for byte."""
        return self.kind == "same"


def compare(a: Vmcoreinfo, b: Vmcoreinfo, names: tuple[str, str] = ("A", "B")) -> TextDiff:
    """Compare two texts; the sentences call them by `names`."""
    if a.text == b.text:
        return TextDiff("same", ("the texts are equal byte for byte",), ())
    keys = tuple(_changes(a, b))
    sentences = tuple(_summary(a, b, {item.key: item for item in keys}, names))
    kinds: tuple[Kind, ...] = ("kernel", "boot", "crash", "values", "form")
    kind = next(kind for kind in kinds if any(found == kind for found, _ in sentences))
    return TextDiff(kind, tuple(sentence for _, sentence in sentences), keys)


def meaning(item: KeyChange) -> str:
    """Return the key's meaning from the glossary, and how far its address moved."""
    entry = explain(item.key)
    what = entry.what if entry is not None else "no kernel writes a key like this."
    moved = _moved(item) if item.key.startswith(b"SYMBOL(") or item.key == b"KERNELOFFSET" else None
    return f"{what} Moved {_by(moved)}." if moved else what


def difference_text(found: TextDiff) -> Iterator[str]:
    """Yield the difference in lines: the summary, then each key with its two values and its meaning."""
    yield from found.summary
    for item in found.keys:
        yield ""
        yield f"{visible(item.key)}: {item.change}"
        yield from (
            f"  {name}  {visible(value)}" for name, value in (("a", item.a), ("b", item.b)) if value is not None
        )
        yield f"     {meaning(item)}"


def header_remarks(a: Note | None, b: Note | None, names: tuple[str, str] = ("A", "B")) -> tuple[str, ...]:
    """Return the differences between two notes except in the text; empty if one side is only a text."""
    if a is None or b is None:
        return ()
    out = []
    if a.order != b.order:
        orders = f"{a.order}-endian in {names[0]}, {b.order}-endian in {names[1]}"
        out.append(f"the header words are {orders}: their values do not differ")
    if a.name != b.name:
        out.append(f"the name is {_short(a.name)} in {names[0]}, {_short(b.name)} in {names[1]}")
    if a.type != b.type:
        out.append(f"the type is {a.type:#x} in {names[0]}, {b.type:#x} in {names[1]}")
    return tuple(out)


def _changes(a: Vmcoreinfo, b: Vmcoreinfo) -> Iterator[KeyChange]:
    of_a, of_b = _values(a), _values(b)
    for key, value in of_a.items():
        if of_b.get(key) != value:
            yield KeyChange(key, value, of_b.get(key))
    for key, value in of_b.items():
        if key not in of_a:
            yield KeyChange(key, None, value)


def _values(text: Vmcoreinfo) -> dict[bytes, bytes]:
    out: dict[bytes, list[bytes]] = {}
    for line in text.lines:
        if line.key is not None:
            out.setdefault(line.key, []).append(line.value or b"")
    return {key: b", ".join(values) for key, values in out.items()}


def _summary(
    a: Vmcoreinfo, b: Vmcoreinfo, changes: dict[bytes, KeyChange], names: tuple[str, str]
) -> Iterator[tuple[Kind, str]]:
    """Yield each sentence with its kind of difference; at least one."""
    kernel = tuple(_kernel(a, b, changes, names))
    yield from kernel
    if not kernel:
        yield from _boot(a, changes, names)
    yield from _crash(changes, names)
    yield from _others(changes, bool(kernel))
    if not changes:
        yield from _form(a, b, names)


def _kernel(
    a: Vmcoreinfo, b: Vmcoreinfo, changes: dict[bytes, KeyChange], names: tuple[str, str]
) -> Iterator[tuple[Kind, str]]:
    machines = tuple(found[0] if (found := machine_of(text)) else None for text in (a, b))
    if None not in machines and machines[0] != machines[1]:
        yield "kernel", f"another machine: {machines[0]} in {names[0]}, {machines[1]} in {names[1]}"
    release, build = changes.get(b"OSRELEASE"), changes.get(b"BUILD-ID")
    if release is not None and release.change == "changed":
        shown = f"{_short(release.a)} in {names[0]}, {_short(release.b)} in {names[1]}"
        yield "kernel", f"another kernel: {shown}; their addresses and sizes cannot be compared"
    elif build is not None and build.change == "changed":
        yield "kernel", "another build of the same release, by BUILD-ID (which some stable kernels fill with garbage)"


def _boot(a: Vmcoreinfo, changes: dict[bytes, KeyChange], names: tuple[str, str]) -> Iterator[tuple[Kind, str]]:
    """Compare where the kernel is: with KASLR each boot chooses another place."""
    symbols = [item for key, item in changes.items() if key.startswith(b"SYMBOL(") and item.change == "changed"]
    moved = Counter(by for item in symbols if (by := _moved(item)))
    offset = changes.get(b"KERNELOFFSET")
    if offset is not None and offset.change != "changed":
        offset = None
    offset_by = _moved(offset) if offset is not None else None
    places = [changes[key] for key in _PLACES if key in changes and changes[key].change == "changed"]
    if not symbols and offset is None and not places:
        return
    by, count = moved.most_common(1)[0] if moved else (0, 0)
    if offset_by is not None and moved.get(offset_by):
        by, count = offset_by, moved[offset_by]
    together = bool(by) and (offset_by == by or (offset is None and count > 1))
    why = "another boot" if together else "another boot, or edited values"
    yield "boot", f"the same kernel{_release(a)} with other addresses: {why}"
    if together:
        said = f"KERNELOFFSET and {_counted(count)}" if offset_by else _counted(count)
        rest = len(symbols) - count
        other = f"; {_counted(rest)} by another amount, as symbols outside the image do" if rest else ""
        yield "boot", f"KASLR moved the kernel {_by(by)}: {said} by the same amount{other}"
    elif offset_by or moved:
        yield "boot", "KERNELOFFSET and the symbols moved by different amounts; KASLR moves both, so one was edited"
    for item in places:
        shown = f"{_short(item.a)} in {names[0]}, {_short(item.b)} in {names[1]}"
        yield "boot", f"{visible(item.key)} is {shown}: the kernel is at another place in memory"


def _crash(changes: dict[bytes, KeyChange], names: tuple[str, str]) -> Iterator[tuple[Kind, str]]:
    item = changes.get(b"CRASHTIME")
    if item is None:
        return
    if item.a is not None and item.b is not None:
        yield "crash", f"two panics: {names[0]} at {_date(item.a)}, {names[1]} at {_date(item.b)}"
        return
    panic, live = (names[1], names[0]) if item.a is None else names
    when = _date(item.b if item.b is not None else item.a or b"")
    yield "crash", f"{panic} was written at a panic ({when}), {live} by a guest that had not panicked"


def _others(changes: dict[bytes, KeyChange], other_kernel: bool) -> Iterator[tuple[Kind, str]]:
    known = {b"OSRELEASE", b"BUILD-ID", b"KERNELOFFSET", b"CRASHTIME", *_PLACES}
    rest = [
        item
        for key, item in changes.items()
        if item.change != "changed" or (key not in known and not key.startswith(b"SYMBOL("))
        if key != b"CRASHTIME"
    ]
    if not rest:
        return
    counts = Counter(item.change for item in rest)
    said = ", ".join(f"{counts[change]} {change}" for change in ("added", "gone", "changed") if counts[change])
    first = ", ".join(visible(item.key[:_SHOWN]) for item in rest[:3])
    why = (
        "the kernels differ"
        if other_kernel
        else "a kernel writes them only once: the text was edited, or is from another kernel"
    )
    yield "values", f"other keys: {said} ({first}{', ...' if len(rest) > 3 else ''}): {why}"


def _form(a: Vmcoreinfo, b: Vmcoreinfo, names: tuple[str, str]) -> Iterator[tuple[Kind, str]]:
    """Compare how the same keys and values are written."""
    lines_a, lines_b = ([line.body for line in text.lines] for text in (a, b))
    if lines_a == lines_b:
        ends = names[0] if a.text.endswith(b"\n") else names[1]
        yield "form", f"only the last newline differs: {ends} has it"
    elif sorted(lines_a) == sorted(lines_b):
        yield "form", "the same lines in another order"
    else:
        yield "form", "the same keys and values; lines without `=`, or the order of lines, differ"


def _moved(item: KeyChange) -> int | None:
    """Return by how much an address changed; None if either value is not a number."""
    a, b = _number(item.a), _number(item.b)
    return None if a is None or b is None else b - a


def _number(value: bytes | None) -> int | None:
    match = _NUMBER.match(value or b"")
    return None if match is None else int(match[2], 16) * (-1 if match[1] else 1)


def _counted(symbols: int) -> str:
    return f"{symbols} symbol{'' if symbols == 1 else 's'}"


def _by(amount: int) -> str:
    return f"{'down' if amount < 0 else 'up'} by {abs(amount):#x}"


def _release(text: Vmcoreinfo) -> str:
    return f" ({_short(text.osrelease)})" if text.osrelease else ""


def _short(value: bytes | None) -> Safe:
    shown = visible((value or b"").rstrip(b"\0")[:_SHOWN])
    return Safe(shown + "...") if len(value or b"") > _SHOWN else shown


def _date(seconds: bytes) -> str:
    date = next((item.shown for item in decode(b"CRASHTIME", seconds) if item.label == "date"), None)
    return date or f"CRASHTIME {_short(seconds)}"
