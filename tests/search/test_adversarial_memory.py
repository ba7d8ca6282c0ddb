"""Test misleading guest memory: no wrong note is adopted without asking, and the true note is first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dumps.memory_factory import BASES, STORIES, Scene, scene
from tests.kit import opened
from tests.opened_files import open_document
from vmci_tui.adoption.rank import choose, rank_candidates
from vmci_tui.containers.guest import guest_of
from vmci_tui.search.candidate import RankedCandidate
from vmci_tui.search.find_notes import find

SEEDS = 200
TWINS = {"twin", "longer_twin"}


def judged(made: Scene, everywhere: bool, folder: Path | None = None) -> tuple[RankedCandidate, ...]:
    """Return the ranked candidates of a scene, opened from bytes, or from a file in `folder`."""
    data = made.dump()
    if folder is None:
        dump = opened(data).dump
    else:
        (folder / "dump.elf").write_bytes(data)
        dump = open_document(str(folder / "dump.elf")).dump
    assert dump is not None
    guest = guest_of(dump)
    return rank_candidates(find(guest, everywhere), guest)


def holds(made: Scene, found: tuple[RankedCandidate, ...]) -> None:
    chosen, first = choose(found), found[0].candidate
    assert chosen is None or chosen.candidate.text == made.text, made.stories
    if made.has_note:  # without it a stale one may look better than the page that is left
        assert (first.paddr, first.kind) == (made.base.note, "note"), made.stories
        assert chosen is found[0] or TWINS & set(made.stories), made.stories


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("seed", range(25))
def test_nothing_wrong_is_adopted(name: str, seed: int, tmp_path: Path) -> None:
    made = scene(seed, name)
    holds(made, judged(made, everywhere=bool(seed % 2), folder=tmp_path if seed % 5 == 0 else None))


@pytest.mark.long
@pytest.mark.parametrize("name", BASES)
def test_nothing_wrong_is_adopted_in_200_memories(name: str, tmp_path: Path) -> None:
    for seed in range(SEEDS):
        made = scene(seed, name)
        for everywhere in (False, True):
            holds(made, judged(made, everywhere))
        holds(made, judged(made, everywhere=seed % 2 == 0, folder=tmp_path))


def test_every_case_has_its_result() -> None:
    assert {story for seed in range(25) for story in scene(seed).stories} == set(STORIES)
    assert {scene(seed).has_note for seed in range(25)} == {True, False}
