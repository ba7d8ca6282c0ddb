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


class VerdictPair(NamedTuple):
    """The file on disk, and the file that saving would write; the same where nothing would change."""

    now: Verdicts
    after: Verdicts


def judge_file(view: View) -> dict[str, Verdict]:
    """The verdicts over the bytes of a dump; QEMU, which reads no dump, is not among them."""
    return {reader.name: judge(reader, view) for reader in READERS}


def verdicts_now(document: Document, known: Verdicts | None = None, budget: Budget | None = None) -> Verdicts:
    """Judge the file as it is; `known` is an earlier answer for the same file, of which only QEMU is asked again.

    `budget` is what each reader may take; it may stop a reader, and then this raises Cancelled.
    """
    entry = {"qemu": qemu.verdict(document)}
    if document.dump is None:
        return entry
    return {
        **entry,
        **(known or judge_file(View(document.source, document.dump.current_layout.image, budget))),
        **entry,
    }


def verdicts_after(document: Document, now: Verdicts, budget: Budget | None = None) -> Verdicts:
    """Judge the file that saving would write: `now` where nothing would change, or the state cannot be saved."""
    try:
        layout = document.saved_layout
    except SaveError:
        return now
    if document.dump is None or (layout.base is None and layout.image == document.dump.current_layout.image):
        return now
    return {"qemu": now["qemu"], **judge_file(View(layout.base or document.source, layout.image, budget))}
