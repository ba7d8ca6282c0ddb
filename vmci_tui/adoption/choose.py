"""Decide which note a dump should have: its own, if memory does not contradict it, else one from memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from vmci_tui.adoption.named_note import named_note
from vmci_tui.adoption.rank import choose, proved_rivals, rank_candidates, why_not
from vmci_tui.common.errors import EditError, PackageMissing
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.document import edit_notes
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.edit_notes import FromMemory
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.findings.judgement import Judgement
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.facts.running_kernel import NotKnown
from vmci_tui.proof import prove
from vmci_tui.search.candidate import Candidate, Proof, RankedCandidate
from vmci_tui.search.find_notes import find

if TYPE_CHECKING:
    from vmci_tui.adoption.made_note import MadeNote
    from vmci_tui.adoption.pointed_note import PointedNote
    from vmci_tui.kernel.symbols.read_symbols import KernelSymbols

LARGE: Final = 2 << 30
"""Bytes of memory from which on the kernel's own pointers are followed before memory is searched: to read its symbols
takes as long as to search about 1 GiB."""


class Adoption(NamedTuple):
    """What should happen to the dump's note."""

    code: str
    """The finding that calls for another note: N01 (none), M05 (disproved), M06 (not provable), or a fault
    of its text for which a reader refuses; empty if the note stays."""
    chosen: RankedCandidate | None
    """The one that can be taken without asking."""
    candidates: tuple[RankedCandidate, ...]
    """All candidates, best first; empty if memory was not searched."""
    question: str
    """Why none can be taken without asking; empty if there is nothing to ask."""
    proof: Proof | None = None
    """Of the dump's own note."""
    unread: str = ""
    """Why memory could not be searched; empty if it could, or if no search was needed."""
    made: MadeNote | None = None
    """A note made from the kernel's tables, for a dump without one whose memory proves none; taken on request only."""


class Searched(NamedTuple):
    """The candidates of guest memory."""

    judged: tuple[RankedCandidate, ...]
    """Best first."""
    kernel: KernelSymbols | None = None
    """The kernel of the first one, if its symbols led there."""


def consider(judgement: Judgement, progress: Progress, known: tuple[RankedCandidate, ...] = ()) -> Adoption:
    """Check the dump's own note; search memory only if that note is missing or not proved, and nothing is known.

    `known` are all candidates, if memory was searched before. A Windows header stays, and memory is not searched.
    Raises what `progress` raises.
    """
    document = judgement.document
    assert document.dump is not None
    state, guest = document.state, guest_of(document.dump)
    if any(note.is_windows for note in state.notes):
        return Adoption("", None, (), "")
    text = state.vmcoreinfo
    proof = prove(text, guest, progress) if text is not None else None
    code = _code(judgement, proof)
    if not code:
        return Adoption("", None, (), "", proof)
    try:
        judged = known or search(guest, progress)
    except PackageMissing as missing:
        return Adoption(code, None, (), "", proof, str(missing))
    chosen = choose(judged)
    if chosen is not None and text is not None and chosen.candidate.text == text.text:
        chosen = None
    made = _made(guest, progress) if proof is None and chosen is None and not _any_proved(judged) else None
    asked = (judged or made is not None) and chosen is None and _is_asked(proof)
    return Adoption(code, chosen, judged, _question(judged, proof, made) if asked else "", proof, made=made)


def wants_memory(judgement: Judgement) -> bool:
    """Return whether `consider` will search memory, as far as a proof that reads a few pages can tell."""
    state = judgement.document.state
    return not any(note.is_windows for note in state.notes) and bool(_code(judgement, judgement.proof))


def _code(judgement: Judgement, proof: Proof | None) -> str:
    """Return why another note is wanted; empty if the dump's own is proved and readers accept its text."""
    if proof is None:
        return "N01"
    if not proof.proved:
        return "M05" if proof.proved is False else "M06"
    faults = (f.code for f in judgement.found if catalogue()[f.code].of_text and any(c.refuses for c in f.readers))
    return next(faults, "")


def _any_proved(judged: Sequence[RankedCandidate]) -> bool:
    return any(item.proof.proved for item in judged)


def _made(guest: Guest, progress: Progress) -> MadeNote | None:
    from vmci_tui.adoption.made_note import make_note

    made = make_note(guest, None, progress)
    return None if isinstance(made, NotKnown) else made


def _is_asked(proof: Proof | None) -> bool:
    """Return whether the user must decide if none can be taken: there is no note, or one that cannot be corrected."""
    return proof is None or (proof.proved is False and not proof.corrections)


def search(guest: Guest, progress: Progress, everywhere: bool = False) -> tuple[RankedCandidate, ...]:
    """Return all candidates of guest memory, best first, as `searched` does."""
    return searched(guest, progress, everywhere).judged


def searched(guest: Guest, progress: Progress, everywhere: bool = False) -> Searched:
    """Return all candidates of guest memory, best first: on page starts, and if none is proved there, anywhere.

    Memory is not searched if the guest's entry names the proved note of the kernel that runs; large memory neither if
    that kernel's own pointers lead to it: then that one alone is returned. With `everywhere` every byte is searched in
    any case. Memory of a running machine is not searched: its note is where QEMU says that it is, or where the kernel's
    pointers are.
    """
    if guest.runs:
        return Searched(_of_running(guest, progress))
    if not everywhere and (named := named_note(guest, progress)) is not None:
        return Searched((named,))
    if not everywhere and guest.memory.size > LARGE and (pointed := _pointed(guest, progress)) is not None:
        return Searched((pointed.note,), pointed.kernel)
    judged = rank_candidates(find(guest, everywhere, progress), guest, progress=progress)
    if not everywhere and not _any_proved(judged):
        return Searched(rank_candidates(find(guest, True, progress), guest, progress=progress))
    if not proved_rivals(judged):
        return Searched(judged)
    from vmci_tui.adoption.wanted_note import wanted_first

    return Searched(wanted_first(judged, guest, progress))


def _pointed(guest: Guest, progress: Progress) -> PointedNote | None:
    from vmci_tui.adoption.pointed_note import pointed_note

    return pointed_note(guest, progress)


def _of_running(guest: Guest, progress: Progress) -> tuple[RankedCandidate, ...]:
    judged = rank_candidates(find(guest, False, progress), guest, partial(prove, search=False), progress)
    if any(item.proof.proved for item in judged):
        return judged
    pointed = _pointed(guest, progress)
    return judged if pointed is None else (pointed.note, *judged)


def search_for(document: Document, paddr: int | None, progress: Progress) -> tuple[RankedCandidate, ...]:
    """Search like `search`, and once more at every byte if there is no candidate at `paddr`."""
    assert document.dump is not None
    guest = guest_of(document.dump)
    judged = search(guest, progress)
    if paddr is None or any(paddr in (item.candidate.paddr, *item.copies) for item in judged):
        return judged
    return search(guest, progress, everywhere=True)


def _question(judged: Sequence[RankedCandidate], proof: Proof | None, made: MadeNote | None) -> str:
    if proof is not None and proof.proved is False:
        wrong = f"the note does not belong to this memory ({proof.why}), and "
    else:
        wrong = "the dump has no note, and "
    return wrong + why_not(judged) + ("" if made is None else f"; {made.offer}")


def choice_of(judged: Sequence[RankedCandidate], paddr: int | None) -> RankedCandidate:
    """Return the candidate that the user names, else the one that can be taken without asking. Raises EditError."""
    if paddr is None:
        chosen = choose(judged)
        if chosen is None:
            raise EditError(why_not(judged), "`vmci find FILE` lists the candidates; choose one by its paddr")
        return chosen
    for item in judged:
        if paddr == item.candidate.paddr or paddr in item.copies:
            return item
    raise EditError(f"there is no candidate at paddr {paddr:#x}", "`vmci find FILE --all` lists them")


def found_note(candidate: Candidate, order: ByteOrder) -> FromMemory:
    """Return the candidate's note, name and text unchanged, as an edit appends it."""
    return FromMemory(candidate.note(order), candidate.paddr, candidate.kind)


def adopted(candidate: Candidate, order: ByteOrder) -> Edit:
    """Return the edit that takes the candidate's note as the dump's own."""
    return Edit.of(edit_notes.append_found, found_note(candidate, order), order)
