"""Test the ranking of candidates and the choice of the one to adopt without asking, with a prover of the test's own."""

from __future__ import annotations

import pytest

from tests.dumps.factory import S390, TEXT_32, TEXT_64, note
from tests.search.test_find_notes import guest_with
from vmci_tui.adoption import rank as ranking
from vmci_tui.adoption.rank import Prove, choose, rank_candidates, why_not
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.search.candidate import Correction, Proof, RankedCandidate
from vmci_tui.search.find_notes import find

OTHER = TEXT_64.replace(b"6.1.0-test", b"5.10.0-old")
PANIC = TEXT_64 + b"CRASHTIME=1700000000\n"
TWIN = TEXT_64.replace(b"SIZE(list_head)=16", b"SIZE(list_head)=17")


def proving(*texts: bytes, against: tuple[bytes, ...] = ()) -> Prove:
    def prove(text: Vmcoreinfo, _guest: Guest, _told: Progress) -> Proof:
        if text.text in texts:
            return Proof(True, "memory says so")
        return Proof(False, "memory says otherwise") if text.text in against else Proof(None, "memory cannot tell")

    return prove


CANNOT_TELL = proving()


def judged(*placed: tuple[int, bytes], prove: Prove = CANNOT_TELL, machine: int = 62) -> tuple[RankedCandidate, ...]:
    guest = guest_with(*placed, machine=machine)
    return rank_candidates(find(guest, everywhere=True), guest, prove)


def order(*placed: tuple[int, bytes], prove: Prove = CANNOT_TELL) -> list[int]:
    return [item.candidate.paddr for item in judged(*placed, prove=prove)]


def test_each_text_is_listed_once_with_all_its_places() -> None:
    (item,) = judged((0x9000, note()), (0x3000, TEXT_64), (0x2004, note()), (0x5000, note(order="big")))
    assert item.candidate.paddr == 0x5000 and item.copies == (0x2004, 0x3000, 0x9000)
    assert item.why == "complete note at a page boundary, not proved: memory cannot tell"


def test_proof_ranks_before_form_and_a_contradiction_after_no_proof() -> None:
    placed = (0x3000, note(OTHER)), (0x5000, note(TWIN)), (0x7004, TEXT_64)
    assert order(*placed, prove=proving(TEXT_64, against=(OTHER,))) == [0x7004, 0x5000, 0x3000]


def test_form_decides_if_memory_neither_proves_nor_contradicts() -> None:
    texts = [TEXT_64.replace(b"KERNELOFFSET=1000000", b"KERNELOFFSET=%d" % n) for n in range(6)]
    placed = (
        (0x3000, note(texts[0])[:90]),
        (0x4004, note(texts[1])),
        (0x5000, texts[2]),
        (0x6000, note(texts[3])),
        (0x7000, note(texts[4])),
        (0x8000, texts[4]),
        (0x9000, note(TEXT_32)),
    )
    assert order(*placed) == [0x7000, 0x6000, 0x4004, 0x5000, 0x9000, 0x3000]


def test_a_contradicted_text_that_can_be_corrected_ranks_before_others() -> None:
    def prove(text: Vmcoreinfo, _guest: Guest, _told: Progress) -> Proof:
        fits = (Correction(b"KERNELOFFSET", b"0", "it fits"),) if text.text == TWIN else ()
        return Proof(False, "no", fits)

    assert order((0x3000, note()), (0x5000, TWIN), prove=prove) == [0x5000, 0x3000]


def test_only_whole_candidates_are_compared_with_memory() -> None:
    asked = []

    def prove(text: Vmcoreinfo, _guest: Guest, _told: Progress) -> Proof:
        asked.append(text.text)
        return Proof(True, "yes")

    found = judged((0x3000, note()[:100]), (0x5000, note()), (0x7000, TEXT_64), prove=prove)
    assert asked == [TEXT_64] and found[0].proof.proved
    claim = f"claims {len(TEXT_64)} bytes, 76 are text"
    assert found[1].why == f"note at a page boundary, {claim}, a part of the note at 0x5000"
    assert found[1].proof.proved is None


def test_the_only_proved_text_is_chosen() -> None:
    found = judged((0x3000, note(OTHER)), (0x5000, note()), prove=proving(TEXT_64))
    chosen = choose(found)
    assert chosen is found[0] and chosen.candidate.paddr == 0x5000 and why_not(found) == ""
    assert "of a kernel 5.10.0-old, unlike the note at" in found[1].why


@pytest.mark.parametrize("prove", [proving(), proving(against=(TEXT_64,))])
def test_an_unproved_candidate_is_not_chosen(prove: Prove) -> None:
    found = judged((0x5000, note()), prove=prove)
    assert (
        choose(found) is None
        and why_not(found) == f"the only one in memory is not proved; at 0x5000: {found[0].proof.why}"
    )


def test_no_candidate_or_only_cut_ones_give_no_choice() -> None:
    assert choose(()) is None and why_not(()) == "nothing in memory looks like a note"
    found = judged((0x5000, note()[:100]), prove=proving(TEXT_64))
    assert choose(found) is None and why_not(found) == "no note in memory is whole"


@pytest.mark.parametrize("other", [TWIN, OTHER, TEXT_64 + b"SIZE(page)=1\n", PANIC])
@pytest.mark.parametrize("kept", [(0x9000,), (0x9000, 0xB000)])
def test_two_proved_texts_give_no_choice(other: bytes, kept: tuple[int, ...]) -> None:
    placed = [(0x9000, note()), (0xB000, TEXT_64)][: len(kept)]
    for form in (note(other), other):
        found = judged((0x3000, form), *placed, prove=proving(TEXT_64, other))
        assert choose(found) is None and why_not(found).startswith("memory proves two that differ: ")


def test_after_a_panic_the_note_and_the_safe_copy_are_newer_than_the_first_page() -> None:
    found = judged((0x3000, TEXT_64), (0x5000, note(PANIC)), (0x7000, PANIC), prove=proving(TEXT_64, PANIC))
    chosen = choose(found)
    assert chosen is not None and chosen.candidate.paddr == 0x5000
    what = "complete text without a note header at a page boundary"
    assert found[1].why.startswith(f"{what}, like the note at 0x5000, but without CRASHTIME, proved")


def test_a_proved_part_of_the_note_is_not_a_rival() -> None:
    part = TEXT_64[: TEXT_64.index(b"NUMBER")]
    found = judged((0x3000, part), (0x5000, note()), (0x7000, TEXT_64), prove=proving(TEXT_64, part))
    chosen = choose(found)
    assert chosen is not None and chosen.candidate.text == TEXT_64 and "a part of the note at 0x5000" in found[1].why


def test_the_kernels_own_pointers_decide_between_equal_notes() -> None:
    base = 0xFFFF888000000000
    size = len(TEXT_64).to_bytes(8, "little")
    for distance in (8, 88):  # 6.1 and 7.2
        variables = bytearray(0x100)
        variables[0x80 - distance : 0x88 - distance] = (base + 0x9000).to_bytes(8, "little")
        variables[0x80:0x88], variables[0x88:0x90] = size, (base + 0xB000).to_bytes(8, "little")
        placed = (0x3000, note(TWIN)), (0x5000, TWIN), (0x9000, note()), (0xB000, TEXT_64), (0x20100, bytes(variables))
        found = judged(*placed, prove=proving(TEXT_64, TWIN))
        assert found[0].candidate.paddr == 0x9000 and "the kernel's own pointers name it" in found[0].why
        assert "pointers" not in found[1].why and choose(found) is None
    assert order(*placed[:4], prove=proving(TEXT_64, TWIN))[0] == 0x3000


def test_the_lowcore_decides_without_a_proof() -> None:
    placed = (0xE0C, (0x9000).to_bytes(8, "big")), (0x3000, note(TWIN, order="big")), (0x9000, note(order="big"))
    found = judged(*placed, machine=S390)
    assert found[0].candidate.paddr == 0x9000 and "the kernel's own pointers name it" in found[0].why


def test_of_too_many_candidates_not_all_are_compared_and_none_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [TEXT_64 + b"SIZE(page)=%d\n" % number for number in range(8)]
    placed = [(0x3000 + number * 0x1000, note(text)) for number, text in enumerate(texts)]
    monkeypatch.setattr(ranking, "PROOFS", 3)
    found = judged(*placed, prove=proving(texts[1]))
    assert found[0].candidate.text == texts[1] and choose(found) is None and why_not(found).startswith("more places")
    monkeypatch.setattr(ranking, "PROOFS", 30)
    assert choose(judged(*placed, prove=proving(texts[1]))) is not None
    monkeypatch.setattr(ranking, "LIMIT", 8)
    assert choose(judged(*placed, prove=proving(texts[1]))) is None


def test_bytes_of_the_guest_are_shown_as_printable_text() -> None:
    text = OTHER.replace(b"5.10.0-old", b"[bold]" + b"x" * 90).replace(b"BUILD-ID", b"\\[red]K")
    for item in judged((0x3000, note(text)), (0x5000, note()), prove=proving(TEXT_64)):
        assert item.why.isprintable() and item.why.isascii() and len(item.why) < 300
