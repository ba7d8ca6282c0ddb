"""Test numbers that no kernel writes: the programs do what is predicted, even if some never end."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.kit import become
from tests.odd_numbers import Case, cases, edited
from tests.real.agreement.comparison import settled
from tests.real.agreement.oracle import READERS, Conditions, Oracle
from tests.real.readers import need
from vmci_tui.document import edit_text
from vmci_tui.document.document import Document
from vmci_tui.findings.judgement import Judgement

_MEMORY = 8 << 30
_ARM = "arm64-cut-note.elf"
_PAGES = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 4096, 65536, 1 << 31, 1 << 63)
_BITS = (16, 23, 24, 33, 34, 43, 47, 48, 52)


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    for program in ("drgn", "crash", "makedumpfile", "readelf", "eu-readelf"):
        need(program)
    with Oracle(how=Conditions(_MEMORY)) as asked:
        yield asked


def _saved(document: Document) -> bytes:
    layout = document.saved_layout
    return layout.image.read(layout.base or document.source, 0, layout.image.size)


def _disagreements(oracle: Oracle, documents: dict[str, Document], readers: tuple[str, ...] = READERS) -> list[str]:
    oracle.readers = readers
    wrong = []
    dumps = [_saved(document) for document in documents.values()]
    for (name, document), data, answers in zip(documents.items(), dumps, oracle.ask_many(dumps), strict=True):
        ours = Judgement.of(document).shown
        real = settled(oracle, data, ours, answers)
        wrong += [
            f"{name}: {reader} {real[reader].accepts}, predicted {ours[reader].accepts}: {real[reader].says[-200:]}"
            for reader in readers
            if ours[reader].accepts is not None and ours[reader].accepts != real[reader].accepts
        ]
    return wrong


def test_page_sizes_of_aarch64_are_refused_where_libkdumpfile_dies_or_never_ends(oracle: Oracle) -> None:
    documents = {}
    for bits in _BITS:
        base = edited(Case(_ARM, b"NUMBER(TCR_EL1_T1SZ)", b"%d" % (64 - bits)))
        for size in _PAGES if bits == 48 else (2, 16, 32, 64, 128, 256):
            state = edit_text.set_key(base.state, b"PAGESIZE", b"%d" % size)
            documents[f"{bits} bits, PAGESIZE={size}"] = base.with_edit(become(state))
    assert not _disagreements(oracle, documents, ("libkdumpfile",))


def test_a_slice_of_all_numbers_agrees(oracle: Oracle) -> None:
    documents = {str(case): edited(case) for case in Random(45).sample(list(cases()), 40)}
    assert not _disagreements(oracle, documents)


@pytest.mark.long
def test_all_numbers_agree(oracle: Oracle) -> None:
    assert not _disagreements(oracle, {str(case): edited(case) for case in cases()})
