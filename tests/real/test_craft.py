"""Test crafted dumps and entries with the installed programs: the results are those of the manifest."""

from __future__ import annotations

import pytest

from tests.real import readers
from tests.real.agreement.comparison import Tally
from tests.real.agreement.mutator import Mutant
from tests.real.agreement.oracle import Oracle
from vmci_tui.bench import Crafted, chosen, craft

_PROGRAMS = {
    "crash": "crash",
    "makedumpfile": "makedumpfile",
    "drgn": "drgn",
    "readelf": "readelf",
    "eu-readelf": "eu-readelf",
}
_DUMPS = (
    *("", "N01", "N02", "N04", "N05", "N08", "N09", "N16", "T02", "T10", "T15", "T20"),
    *("C06", "C07", "C09", "C13", "C17", "C18", "M03", "M04", "N09,T05,C04"),
    *("C19", "C20", "C21", "C22", "no-cpus", "version-7", "C24", "C25", "C26", "C27", "C28", "C29"),
    *("M07", "M08", "C19,T05", "C20,C21", "N04,C21", "C19,N01"),
)
_ENTRIES = (
    *("", "E01", "15-bytes", "then-4-bytes", "E02", "E03", "E04", "E05", "E06", "E07", "E09", "not-memory"),
    *("E10", "E11", "E12", "E13", "E14", "T01", "T16", "N09", "N13"),
)


def made(words: str) -> Crafted:
    return craft(chosen(words.split(",") if words else []))


def test_readers_agree_with_the_manifest() -> None:
    for program in _PROGRAMS.values():
        readers.need(program)
    tally = Tally()
    with Oracle() as oracle:
        bench = [made(words) for words in _DUMPS]
        for words, item, answers in zip(_DUMPS, bench, oracle.ask_many([b.dump for b in bench]), strict=True):
            tally.add(Mutant(words or "good", item.dump, [words]), dict(item.verdicts), answers)
    assert not tally.disagreements, "\n".join(map(str, tally.disagreements))


@pytest.mark.parametrize("words", _ENTRIES)
def test_qemu_agrees_with_the_manifest(words: str) -> None:
    """Ask QEMU with the guest's writes and the bytes of the region."""
    readers.need("qemu-system-x86_64")
    from vmci_tui.qemu.ask import ask

    item = made(words)
    history, parts, verdict = item.parts.history, item.parts, item.verdicts["qemu"]
    assert history is not None
    answer = ask(history, parts.note if parts.region is None else parts.region)
    assert not answer.differences
    assert verdict.accepts is (answer.seen.appended is not None)
    if verdict.accepts is False:
        assert verdict.says in answer.seen.warnings
    elif parts.region is None:
        assert answer.seen.appended == parts.note
