"""Rank the candidates for the guest's own note, the most trusted one first, each with the reason in one line.

The proof by memory decides first, and the kernel's tables judge the lines of texts that it proves alike; then the
kernel's own pointers, then the form: the kernel has its text twice, in a note with header and in a page without, each
on a page start. A copy that someone read from /proc/kcore, or a dump in the page cache, rarely has both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from vmci_tui.adoption.kernel_pointers import named_notes
from vmci_tui.adoption.relation import after_panic, difference, is_rival, relation
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.knowledge.kernel_width import machine_of
from vmci_tui.proof import prove as prove_by_memory
from vmci_tui.proof.running_kernel import roots_of, runs
from vmci_tui.search import lowcore_pointer as lowcore
from vmci_tui.search.candidate import Candidate, Proof, RankedCandidate
from vmci_tui.search.find_notes import LIMIT

Prove = Callable[[Vmcoreinfo, Guest, Progress], Proof]
PROOFS: Final = 32
"""The most texts that are compared with memory: real memory has two or three."""
_NOT_WHOLE: Final = Proof(None, "not compared with memory, because it is not whole")
_TOO_MANY: Final = Proof(None, f"not compared with memory, because {PROOFS} other texts rank higher")
_NO_LINE: Final = "the kernel's tables contradict none of its lines"
PANICKED: Final = "it panicked: its note has CRASHTIME"
_VERDICTS: Final = {True: "proved", False: "disproved", None: "not proved"}


class _SameText(NamedTuple):
    """All places of one text; the first is the one to show."""

    members: tuple[Candidate, ...]
    machine: str | None
    """The machine of the text, if it is not the dump's."""
    runs: bool | None = None
    """Whether the processors run this kernel, if memory proves more than one."""

    @property
    def best(self) -> Candidate:
        return self.members[0]

    @property
    def whole(self) -> bool:
        return self.best.whole

    def placed(self, kind: str) -> list[Candidate]:
        """Return those on page starts."""
        return [item for item in self.members if item.kind == kind and not item.misplaced]


def rank_candidates(
    candidates: Iterable[Candidate],
    guest: Guest,
    prove: Prove = prove_by_memory,
    progress: Progress = no_progress,
    named: frozenset[int] = frozenset(),
) -> tuple[RankedCandidate, ...]:
    """Return each text once, best first, with all its places. Raises what `progress` and `candidates` raise.

    `named` are places (paddr) that the kernel's own pointers are known to name.
    """
    pointed = named | frozenset(lowcore.pointers(guest))
    groups = sorted(_grouped(candidates, guest), key=lambda group: _form(group, pointed))
    tried = [group.best.text for group in groups if group.whole][:PROOFS]
    proofs = {text: prove(Vmcoreinfo(text), guest, progress) for text in tried}
    pairs = [(group, proofs.get(group.best.text, _TOO_MANY) if group.whole else _NOT_WHOLE) for group in groups]
    ranked = _ranked(pairs, pointed)
    if rivals := _rivals(ranked):
        pointed |= named_notes(guest, rivals, progress)
        pairs = [(_with_runs(group, guest) if proof.proved else group, proof) for group, proof in pairs]
        ranked = _ranked(pairs, pointed)
    judged = _judged(ranked, pointed)
    if proved_rivals(judged):
        from vmci_tui.adoption.twins import contradictions

        said = contradictions((one.candidate.vmcoreinfo for one in judged if one.proof.proved), guest, progress)
        pairs = [(group, _with_lines(proof, said.get(group.best.text))) for group, proof in ranked]
        judged = _judged(_ranked(pairs, pointed), pointed)
    return judged


def _with_lines(proof: Proof, said: str | None) -> Proof:
    """Add to a proof what is wrong with lines of the text; `said` is None if they were not judged."""
    if said is None or not proof.proved:
        return proof
    return Proof(False, said) if said else proof._replace(why=f"{proof.why}; {_NO_LINE}")


def _judged(ranked: Sequence[tuple[_SameText, Proof]], pointed: frozenset[int]) -> tuple[RankedCandidate, ...]:
    return tuple(
        RankedCandidate(
            group.best,
            proof,
            _why(group, proof, ranked[0][0].best, pointed),
            tuple(sorted(other.paddr for other in group.members[1:])),
            group.runs,
        )
        for group, proof in ranked
    )


def choose(judged: Sequence[RankedCandidate]) -> RankedCandidate | None:
    """Return the one that can be adopted without asking: the text of the only kernel that memory proves."""
    return judged[0] if not why_not(judged) else None


def why_not(judged: Sequence[RankedCandidate]) -> str:
    """Return a clause, safe to show, why none can be adopted without asking; empty if `choose` returns one."""
    if not judged:
        return "nothing in memory looks like a note"
    if sum(1 + len(item.copies) for item in judged) >= LIMIT or any(item.proof is _TOO_MANY for item in judged):
        return "more places look like a note than can be compared with memory"
    best, *others = judged
    if not best.candidate.whole:
        return "no note in memory is whole"
    if not best.proof.proved:
        which = "none in memory is proved" if others else "the only one in memory is not proved"
        return f"{which}; at {best.candidate.paddr:#x}: {best.proof.why}"
    for item in proved_rivals(judged):
        both = f"{_named(best)}, and {_named(item)}"
        return f"memory proves two that differ: {both} ({difference(item.candidate, best.candidate)})"
    return ""


def proved_rivals(judged: Sequence[RankedCandidate]) -> list[RankedCandidate]:
    """Return those that are proved as the first one is, and differ from it; none if the first is the kernel's own."""
    if not judged or judged[0].own or not judged[0].proof.proved:
        return []
    return [one for one in judged[1:] if one.proof.proved and is_rival(one, judged[0])]


def _named(item: RankedCandidate) -> Safe:
    """Return the release, the address, and whether that kernel runs."""
    runs_it = {True: ", which the processors run", False: ", which they do not run", None: ""}[item.runs]
    runs_it += f" ({PANICKED})" if runs_it and after_panic(item.candidate.text) else ""
    release = (item.candidate.vmcoreinfo.osrelease or b"")[:64]
    return visible(f"{visible(release)} at {item.candidate.paddr:#x}{runs_it}")


def _grouped(candidates: Iterable[Candidate], guest: Guest) -> list[_SameText]:
    texts: dict[tuple[bytes, bool], list[Candidate]] = {}
    for item in candidates:
        texts.setdefault((item.text, item.whole), []).append(item)
    groups = []
    for (text, whole), members in texts.items():
        members.sort(key=lambda item: (item.misplaced, item.kind, item.paddr))
        named = machine_of(Vmcoreinfo(text)) if whole and guest.machine is not None else None
        groups.append(_SameText(tuple(members), named[0] if named and named[0] != guest.machine else None))
    return groups


def _with_runs(group: _SameText, guest: Guest) -> _SameText:
    """Add whether it runs: memory can hold a whole kernel that kexec left or that crashed, while another runs."""
    return group._replace(runs=runs(Vmcoreinfo(group.best.text), guest, roots_of(guest.notes)))


def _ranked(pairs: Iterable[tuple[_SameText, Proof]], pointed: frozenset[int]) -> list[tuple[_SameText, Proof]]:
    """Sort best first, and within a text the place first that the kernel names."""
    placed = [
        (group._replace(members=tuple(sorted(group.members, key=lambda item: item.paddr not in pointed))), proof)
        for group, proof in pairs
    ]
    return sorted(placed, key=lambda pair: (_trust(*pair), _form(pair[0], pointed)))


def _trust(group: _SameText, proof: Proof) -> int:
    """Return the trust in the proof; less is better."""
    if not group.whole:
        return 5
    if proof.proved is False:
        return 3 if proof.corrections else 4
    if proof.proved:
        return 1 if group.runs is False else 0
    return 2


def _form(group: _SameText, pointed: frozenset[int]) -> tuple[bool | int, ...]:
    """Return how much it looks like the kernel's own; less is better, the address decides last."""
    best = group.best
    return (
        not group.whole,
        best.paddr not in pointed,
        group.machine is not None,
        best.kind != "note",
        best.misplaced,
        not (group.placed("note") and group.placed("text")),
        not after_panic(best.text),
        best.paddr,
    )


def _rivals(ranked: Sequence[tuple[_SameText, Proof]]) -> list[tuple[Candidate, Candidate]]:
    """Return notes with their data pages, if more than one ranks as high as the first."""
    level = [group for group, proof in ranked if group.whole and _trust(group, proof) == _trust(*ranked[0])]
    if len(level) + sum(len(group.placed("note")) > 1 for group in level) < 2:
        return []
    return [(note, data) for group in level for note in group.placed("note")[:4] for data in group.placed("text")[:4]]


def _why(group: _SameText, proof: Proof, best: Candidate, pointed: frozenset[int]) -> Safe:
    """Return one printable line."""
    item = group.best
    what = "note" if item.kind == "note" else "text without a note header"
    said = [f"{'complete ' if item.whole else ''}{what}{'' if item.misplaced else ' at a page boundary'}"]
    said += item.faults
    if item.paddr in pointed:
        said.append("the kernel's own pointers name it")
    if group.runs is not None:
        said.append("the processors run this kernel" if group.runs else "the processors do not run this kernel")
        said += [PANICKED] if after_panic(item.text) else []
    if group.machine is not None:
        said.append(f"of a kernel for {group.machine}")
    if item is not best:
        said.append(relation(item, best))
    verdict = f", {_VERDICTS[proof.proved]}: {proof.why}" if group.whole else ""
    return visible(", ".join(said) + verdict)
