"""From chosen defects to a dump, an entry and a note, with their findings and every reader's verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Final

from vmci_tui.bench.defect import Defect
from vmci_tui.bench.defects import DEFECTS
from vmci_tui.bench.guests import MACHINES, guest
from vmci_tui.bench.parts import KdumpForm, Parts
from vmci_tui.bench.write_elf import dump_bytes
from vmci_tui.common.errors import OpenError, UsageError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.containers import open_dump
from vmci_tui.document.document import Document
from vmci_tui.document.state import State
from vmci_tui.findings import Finding
from vmci_tui.findings.judgement import Judgement
from vmci_tui.formats.fw_cfg_entry import EntryHistory
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers.verdicts import Verdicts

_FORMS: Final = {
    "elf": (".elf", None),
    "kdump": (".kdump", KdumpForm()),
    "flattened": (".flat", KdumpForm(flattened=True)),
}
"""By container: the ending of a dump's name, and the form in which it is written."""
_MOST_CODES: Final = 8
"""The most codes in a file's name."""


@dataclass(frozen=True)
class Crafted:
    """A crafted dump, and its judgement."""

    defects: tuple[Defect, ...]
    parts: Parts
    dump: bytes
    judgement: Judgement

    @property
    def document(self) -> Document:
        """Return the opened dump with its entry."""
        return self.judgement.document

    @property
    def verdicts(self) -> Verdicts:
        """Return what every reader says about it."""
        return self.judgement.now

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what the checks find in it."""
        return self.judgement.found

    @property
    def stem(self) -> str:
        """Return the beginning of the files' names."""
        return _stem(self.defects, self.parts.machine)

    @property
    def name(self) -> str:
        """Return the name of the dump's file."""
        return self.stem + _FORMS[self.parts.container][0]

    @property
    def command(self) -> str:
        """Return the command that makes the same, without the folder."""
        words = ["vmci craft"]
        if self.defects:
            words.append("--defect " + ",".join(item.name for item in self.defects))
        if self.parts.machine != machine_for(self.defects):
            words.append(f"--machine {self.parts.machine}")
        return " ".join(words)

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes of the findings, each once, in order."""
        return tuple(dict.fromkeys(item.code for item in self.findings))

    @property
    def hidden(self) -> tuple[Defect, ...]:
        """Return the defects that have no effect, because another one hides or undoes it."""
        return tuple(item for item in self.defects if item.code not in self.codes)


def chosen(words: Sequence[str]) -> tuple[Defect, ...]:
    """Return the defects with these codes and names; the first of several with one code. Raises UsageError."""
    out = []
    for word in words:
        named = word.strip()
        found = [item for item in DEFECTS if named.lower() == item.name] or [
            item for item in DEFECTS if named.upper() == item.code
        ]
        if not found:
            raise UsageError(f"unknown fault: {visible(named) or 'none is named'}", "`vmci craft --list` lists all")
        out.append(found[0])
    return tuple(dict.fromkeys(out))


def machine_for(defects: Sequence[Defect]) -> str:
    """Return the machine on which all of these can be made, x86-64 if possible. Raises UsageError."""
    both = [name for name in MACHINES if all(name in item.machines for item in defects)]
    if both:
        return both[0]
    clash = next(b for a in defects for b in defects if not set(a.machines) & set(b.machines))
    raise UsageError(
        f"{clash.code} {clash.name} can only be made on {', '.join(clash.machines)}",
        "leave out it or the others",
    )


def craft(defects: Sequence[Defect], machine: str | None = None) -> Crafted:
    """Craft a dump. Raises UsageError if defects do not go together, or not with this machine."""
    made = attempt(defects, machine)
    if (why := clash(made)) is not None:
        raise UsageError(why, "leave one of them out")
    return made


def clash(made: Crafted) -> str | None:
    """Return why the first hidden defect is hidden; None if none is."""
    if not made.hidden:
        return None
    item, machine = made.hidden[0], made.parts.machine
    others = [other for other in made.defects if other is not item]
    for other in others:
        left = [item, *(one for one in others if one is not other)]
        if item not in attempt(left, machine).hidden:
            return f"{item.code} {item.name} does not show beside {other.code} {other.name}"
    return f"{item.code} {item.name} does not show {'with the others' if others else 'on ' + machine}"


def excluded_by(item: Defect, others: Sequence[Defect], machine: str) -> Defect | None:
    """Return the first of the other defects that hides or undoes this one, or the other way round; None for none."""
    return next((other for other in others if other is not item and not _go_together(item, other, machine)), None)


@lru_cache(maxsize=1 << 14)
def _go_together(first: Defect, second: Defect, machine: str) -> bool:
    try:
        both = attempt((first, second), machine)
        return not both.hidden and _files(both) not in (_alone(first, machine), _alone(second, machine))
    except UsageError:
        return False


def _files(made: Crafted) -> tuple[bytes, EntryHistory | None]:
    return made.dump, made.parts.history


@lru_cache(maxsize=1 << 9)
def _alone(item: Defect, machine: str) -> tuple[bytes, EntryHistory | None]:
    return _files(attempt((item,), machine))


def attempt(defects: Sequence[Defect], machine: str | None = None) -> Crafted:
    """Craft a dump even if some defects are hidden. Raises UsageError if one cannot be made on the machine."""
    machine = machine_for(defects) if machine is None else machine
    for item in defects:
        if machine not in item.machines:
            words = f"{item.code} {item.name} cannot be made on {machine}"
            raise UsageError(words, f"choose from {', '.join(item.machines)}")
    parts, ordered = guest(machine), tuple(item for item in DEFECTS if item in defects)
    for item in ordered:
        parts = item.apply(parts)
    return _made(ordered, parts)


def _made(ordered: tuple[Defect, ...], parts: Parts) -> Crafted:
    """Write and open the dump. Raises UsageError if the file cannot be opened."""
    machine = parts.machine
    data = dump_bytes(parts)
    source = BytesSource(data)
    try:
        dump = open_dump(source)
    except OpenError as error:
        raise UsageError(f"these do not go together: {error.message}", "leave one of them out") from None
    assert dump is not None
    document = Document(
        Safe(_stem(ordered, machine) + _FORMS[parts.container][0]),
        source,
        dump,
        State(dump.notes, parts.history, header=dump.header_fields),
    )
    return Crafted(ordered, parts, data, Judgement.of(document))


def _stem(defects: Sequence[Defect], machine: str) -> str:
    """Join the codes, and the machine if it is not x86-64."""
    codes = [item.code for item in defects]
    if len(codes) > _MOST_CODES:
        codes = [*codes[:_MOST_CODES], f"and-{len(codes) - _MOST_CODES}"]
    return "-".join(codes or ["good"]) + ("" if machine == MACHINES[0] else f"-{machine}")


@cache
def always(machine: str, container: str = "elf") -> frozenset[str]:
    """Return the codes found in the good dump of a machine: none in an ELF dump of x86-64."""
    return frozenset(_made((), replace(guest(machine), kdump=_FORMS[container][1])).codes)
