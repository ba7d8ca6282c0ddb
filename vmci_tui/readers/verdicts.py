"""The verdicts of all readers over a document: over the file on disk, and the file that saving would write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import SaveError, UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.document.document import Document
from vmci_tui.readers import crash, drgn, eu_readelf, libkdumpfile, makedumpfile, qemu, readelf
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Reader, Verdict, judge
from vmci_tui.readers.version import is_version

READERS: Final[tuple[Reader[Any], ...]] = (
    crash.READER,
    drgn.READER,
    libkdumpfile.READER,
    makedumpfile.READER,
    readelf.READER,
    eu_readelf.READER,
)
"""The readers of dumps, in the order on screen; QEMU, which reads the entry, comes before them."""
NAMES = ("qemu", *(reader.name for reader in READERS))

Verdicts = Mapping[str, Verdict]


def more_readers() -> tuple[Reader[Any], ...]:
    """Return the programs that judge only if they are asked for: no finding and no repair is about them."""
    from vmci_tui.readers import gdb, volatility3

    return gdb.READER, volatility3.READER


@dataclass(frozen=True)
class ChosenReaders:
    """The readers whose rules judge, each in one version."""

    qemu: str = qemu.READER.version
    dumps: tuple[Reader[Any], ...] = READERS
    versions: tuple[tuple[str, str], ...] = ()
    """Versions of further readers, by their names."""

    @cached_property
    def more(self) -> tuple[Reader[Any], ...]:
        """The readers that judge only if they are asked for."""
        versions = dict(self.versions)
        return tuple(item.at(versions.get(item.name, item.version)) for item in more_readers())

    @property
    def all(self) -> tuple[Reader[Any], ...]:
        """QEMU and all readers of dumps, in the order on screen."""
        return (qemu.reader(self.qemu), *self.dumps, *self.more)

    def at(self, versions: Mapping[str, str]) -> ChosenReaders:
        """Return the same readers, those that `versions` names in its versions.

        Raises UsageError for an unknown reader, and for what is not a version.
        """
        if not versions:
            return self
        names = [reader.name for reader in self.all]
        for name, version in versions.items():
            if name not in names:
                raise UsageError(f"unknown reader '{visible(name)}'", f"choose from {', '.join(names)}")
            if not is_version(version):
                raise UsageError(f"'{visible(version)}' is not a version of {name}", f"write it as {name}=1.2.3")
        dumps = tuple(item.at(versions.get(item.name, item.version)) for item in self.dumps)
        more = tuple((item.name, versions.get(item.name, item.version)) for item in self.more)
        return ChosenReaders(versions.get("qemu", self.qemu), dumps, more)


DEFAULT: Final = ChosenReaders()


class VerdictPair(NamedTuple):
    """Verdicts over the file on disk, and over the file that saving would write; equal if nothing would change."""

    now: Verdicts
    after: Verdicts


def judge_file(view: View, readers: Iterable[Reader[Any]] = READERS) -> dict[str, Verdict]:
    """Return the verdicts over the bytes of a dump, without QEMU, which does not read dumps."""
    return {reader.name: judge(reader, view) for reader in readers}


def verdicts_now(
    document: Document, readers: ChosenReaders = DEFAULT, known: Verdicts | None = None, budget: Budget | None = None
) -> Verdicts:
    """Judge the file on disk; `known`: an earlier result for the same file, in which only QEMU is judged again.

    `budget`: the limit of each reader; it may stop one, and then this raises Cancelled.
    """
    entry = {"qemu": qemu.verdict(document, readers.qemu)}
    if document.dump is None:
        return entry
    return {**entry, **(known or judge_file(_current(document, budget), readers.dumps)), **entry}


def verdicts_after(
    document: Document, now: Verdicts, readers: ChosenReaders = DEFAULT, budget: Budget | None = None
) -> Verdicts:
    """Judge the file that saving would write; return `now` if nothing would change, or the state cannot be saved."""
    view = _saved(document, budget)
    return now if view is None else {"qemu": now["qemu"], **judge_file(view, readers.dumps)}


def more_verdicts(document: Document, readers: ChosenReaders = DEFAULT, budget: Budget | None = None) -> VerdictPair:
    """Return what the further readers make of a dump; nothing without one, and of a VM, whose memory one searches."""
    if document.dump is None or document.runs:
        return VerdictPair({}, {})
    now = judge_file(_current(document, budget), readers.more)
    view = _saved(document, budget)
    return VerdictPair(now, now if view is None else judge_file(view, readers.more))


def _current(document: Document, budget: Budget | None) -> View:
    """Return the bytes of the file on disk."""
    assert document.dump is not None
    return View(document.source, document.dump.current_layout.image, budget)


def _saved(document: Document, budget: Budget | None) -> View | None:
    """Return the bytes that saving would write; None if nothing would change, or the state cannot be saved."""
    try:
        layout = document.saved_layout
    except SaveError:
        return None
    if document.dump is None or (layout.base is None and layout.image == document.dump.current_layout.image):
        return None
    return View(layout.base or document.source, layout.image, budget)
