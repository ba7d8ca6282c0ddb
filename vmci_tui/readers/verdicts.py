"""What all readers make of a document: of the file as it is, and as it would be saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import SaveError
from vmci_tui.document.document import Document
from vmci_tui.readers import crash, eu_readelf, makedumpfile, qemu, readelf
from vmci_tui.readers.drgn import drgn
from vmci_tui.readers.drgn import over_libkdumpfile as libkdumpfile
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Verdict, judge

READERS = (
    crash.READER,
    drgn.READER,
    libkdumpfile.READER,
    makedumpfile.READER,
    readelf.READER,
    eu_readelf.READER,
)
"""The readers of dumps, in the order in which they are shown; QEMU, which reads the entry, comes before them."""
NAMES = ("qemu", *(reader.name for reader in READERS))

Verdicts = Mapping[str, Verdict]


class Both(NamedTuple):
    """The file on disk, and the file that saving would write; the same where nothing would change."""

    now: Verdicts
    after: Verdicts


def judge_file(view: View) -> dict[str, Verdict]:
    """The verdicts over the bytes of a dump; QEMU, which reads no dump, is not among them."""
    return {reader.name: judge(reader, view) for reader in READERS}


def verdicts(document: Document) -> dict[str, Verdict]:
    """The verdicts over what is shown: the file as it is while nothing is edited, else as it would be saved."""
    out = {"qemu": qemu.verdict(document)}
    if document.dump is not None:
        layout = document.layout
        out |= judge_file(View(layout.base or document.source, layout.image))
    return out


def now_and_after(document: Document, known: Verdicts | None = None, budget: Budget | None = None) -> Both:
    """Both sides of saving; `known` is what is now, where that was judged before: the file on disk stays.

    `budget` is what each reader may take, and may stop it: then it raises Cancelled. Where the
    state cannot be saved, what is after is what is now.
    """
    entry = {"qemu": qemu.verdict(document)}
    if document.dump is None:
        return Both(entry, entry)
    as_it_is = document.dump.as_it_is.image
    now = {**entry, **(known or judge_file(View(document.source, as_it_is, budget))), **entry}
    try:
        layout = document.saved_layout
    except SaveError:
        layout = document.dump.as_it_is
    same = layout.base is None and layout.image == as_it_is
    after = now if same else judge_file(View(layout.base or document.source, layout.image, budget))
    return Both(now, {**after, **entry})
