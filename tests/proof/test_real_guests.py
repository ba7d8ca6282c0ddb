"""Test find, rank, prove and safe repair with real guests of all machines, cut to the pages that a proof reads."""

from __future__ import annotations

import hashlib

import pytest

from tests.proof import guests
from vmci_tui.adoption.rank import choose, rank_candidates, why_not
from vmci_tui.search.candidate import RankedCandidate
from vmci_tui.search.find_notes import find

_TWO_KERNELS = ("amd64-stale-kernel", "amd64-after-crash")
"""Guests whose memory has a second whole kernel: the one before kexec, or the crashed one."""


def judged(name: str) -> tuple[RankedCandidate, ...]:
    guest = guests.guest(name)
    return rank_candidates(find(guest), guest)


@pytest.mark.parametrize("name", guests.TRUTH)
def test_the_guests_own_note_comes_first_and_is_proved(name: str) -> None:
    best = judged(name)[0]
    truth = guests.TRUTH[name]
    assert best.candidate.paddr == int(truth["true_paddr"], 16)
    assert hashlib.sha256(best.candidate.text).hexdigest() == truth["text_sha256"]
    assert best.proof.proved, best.proof.why


@pytest.mark.parametrize("name", guests.TRUTH)
def test_only_two_kernels_need_a_question(name: str) -> None:
    found = judged(name)
    assert (choose(found) is None) == (name in _TWO_KERNELS), why_not(found)
    if name in _TWO_KERNELS:
        assert "the processors run this kernel" in found[0].why
        assert "the processors do not run this kernel" in found[1].why
        assert [("it panicked" in one.why) for one in found[:2]] == [False, name == "amd64-after-crash"]
        assert ("it panicked" in why_not(found)) == (name == "amd64-after-crash")
