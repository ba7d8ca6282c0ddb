"""Whole dumps of booted guests: the guest's own note is found, first and proved, wherever copies of it are.

VMCI_FULL_DUMPS names a folder with dumps of any guests; what is true of them is in its `truth.json`
(`{"NAME": {"file", "true_paddr", "note_text_sha256"}}`), or in tests/data for those made with the samples.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.opened_files import open_document
from tests.paths import DATA
from vmci_tui.adoption.rank import choose, rank_candidates
from vmci_tui.containers.guest import guest_of
from vmci_tui.search.find_notes import find

_FOLDER = Path(os.environ["VMCI_FULL_DUMPS"])
_OWN = DATA / "truth.json"


def _truths() -> dict[str, tuple[int, str]]:
    """The address of the note and the digest of its text, by file name; only of files that exist."""
    given = _FOLDER / "truth.json"
    if given.exists():
        items: list[dict[str, Any]] = list(json.loads(given.read_text()).values())
        known = {item["file"]: (item["true_paddr"], item["note_text_sha256"]) for item in items}
    else:
        guests = json.loads(_OWN.read_text())["guests"]
        known = {name: (item["paddr"], item["guest_text_sha256"]) for name, item in guests.items()}
    here = {path.name for path in _FOLDER.iterdir()}
    return {
        name: (int(paddr, 0) if isinstance(paddr, str) else paddr, digest)
        for name, (paddr, digest) in known.items()
        if name in here and digest
    }


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize(("name", "paddr", "digest"), [(name, *true) for name, true in sorted(_truths().items())])
def test_the_guests_own_note_is_first_and_proved(name: str, paddr: int, digest: str, everywhere: bool) -> None:
    dump = open_document(str(_FOLDER / name)).dump
    assert dump is not None
    guest = guest_of(dump)
    judged = rank_candidates(find(guest, everywhere), guest)
    first = judged[0]
    assert (first.candidate.paddr, first.candidate.kind, first.proof.proved) == (paddr, "note", True), first.why
    assert hashlib.sha256(first.candidate.text).hexdigest() == digest
    # A kernel that a second one replaced may be as whole, with its page tables: that is asked about.
    assert choose(judged) in (first, None) and (choose(judged) is first or any(o.proof.proved for o in judged[1:]))
