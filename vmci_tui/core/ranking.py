"""Which of the candidates is the guest's own note: in the order of trust, each with the reason in one line.

Proof by memory goes first. Where memory cannot tell, the form does: the kernel keeps its
text twice, in a note with header and in a page without, each on a page start; a copy that
someone read from /proc/kcore, or a dump that lies in the page cache, is rarely both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from vmci_tui.core import lowcore
from vmci_tui.core.bitness import machine_of
from vmci_tui.core.candidate import Candidate, Judged, Proof
from vmci_tui.core.find import LIMIT
from vmci_tui.core.guest import Guest
from vmci_tui.core.progress import Progress, quiet
from vmci_tui.core.proof import prove as prove_by_memory
from vmci_tui.core.recognise import NOT_ON_A_PAGE, is_whole
from vmci_tui.core.text import Safe, visible
from vmci_tui.core.vmcoreinfo import Vmcoreinfo

Prove = Callable[[Vmcoreinfo, Guest, Progress], Proof]
PROOFS: Final = 32
"""The most texts that are held against memory: a real memory has two or three."""
_NOT_WHOLE: Final = "not held against memory, as it is not whole"
_TOO_MANY: Final = f"not held against memory, as {PROOFS} other texts stand before it"

_CRASHTIME = re.compile(rb"CRASHTIME=[0-9]+\n\Z")


class _Group(NamedTuple):
    """All places of one text; the first is the one to show."""

    members: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate:
        return self.members[0]

    @property
    def text(self) -> bytes:
        return self.best.text


def judge_all(
    candidates: Iterable[Candidate], guest: Guest, prove: Prove = prove_by_memory, told: Progress = quiet
) -> tuple[Judged, ...]:
    """Each distinct text once, best first, with all places where it lies. Raises what `told` and the iterable raise."""
    pointed = frozenset(lowcore.pointers(guest))
    groups = sorted(_grouped(candidates, pointed), key=lambda group: _form(group, guest, pointed))
    proofs = []
    for number, group in enumerate(groups):
        if not is_whole(group.best):
            proofs.append(Proof(None, _NOT_WHOLE))
        elif number >= PROOFS:
            proofs.append(Proof(None, _TOO_MANY))
        else:
            proofs.append(prove(group.best.vmcoreinfo, guest, told))
    ranked = sorted(zip(groups, proofs, strict=True), key=lambda pair: (_trust(*pair), _form(pair[0], guest, pointed)))
    return tuple(
        Judged(
            group.best,
            proof,
            _why(group, proof, ranked[0], guest, pointed),
            tuple(sorted(other.paddr for other in group.members[1:])),
        )
        for group, proof in ranked
    )


def choose(judged: Sequence[Judged]) -> Judged | None:
    """The one that may be adopted without asking: the only kernel's text that memory proves."""
    return None if _obstacle(judged) else _proved(judged)[0]


def why_not(judged: Sequence[Judged]) -> str:
    """Why none is adopted without asking; empty where `choose` gives one."""
    return _obstacle(judged)


def _obstacle(judged: Sequence[Judged]) -> str:
    if not judged:
        return "nothing in memory looks like a note"
    if sum(1 + len(item.copies) for item in judged) >= LIMIT or any(item.proof.why == _TOO_MANY for item in judged):
        return "more places look like a note than are held against memory: name the one to take"
    proved = _proved(judged)
    if not proved:
        if not any(is_whole(item.candidate) for item in judged):
            return "no note in memory is whole"
        return f"memory proves none of them; the likeliest, at {judged[0].candidate.paddr:#x}: {judged[0].proof.why}"
    rivals = [item for item in proved[1:] if not _older(item.candidate, proved[0].candidate)]
    if rivals:
        one, other = proved[0].candidate, rivals[0].candidate
        return f"memory proves two that differ, at {one.paddr:#x} and at {other.paddr:#x} ({_difference(one, other)})"
    return ""


def _proved(judged: Sequence[Judged]) -> list[Judged]:
    return [item for item in judged if item.proof.proved]


def _older(item: Candidate, best: Candidate) -> bool:
    """Whether `item` is no other text than `best`, but what it was at another time, or its beginning.

    A panic appends CRASHTIME to the text that the note is made of; where a crash kernel is loaded
    that is a safe copy, and the first vmcoreinfo_data page stays as it was. Two notes with header,
    both on page starts, are never that: the kernel has one.
    """
    if item.kind == "note" and NOT_ON_A_PAGE not in item.faults:
        return False
    ended = [text for text in (item.text, best.text) if _CRASHTIME.search(text)]
    if len(ended) == 1 and _CRASHTIME.sub(b"", item.text) == _CRASHTIME.sub(b"", best.text):
        return True
    return item.kind == "text" and best.kind == "note" and best.text.startswith(item.text)


def _grouped(candidates: Iterable[Candidate], pointed: frozenset[int]) -> list[_Group]:
    texts: dict[tuple[bytes, bool], list[Candidate]] = {}
    for candidate in candidates:
        texts.setdefault((candidate.text, is_whole(candidate)), []).append(candidate)
    return [
        _Group(tuple(sorted(members, key=lambda item: (item.paddr not in pointed, *_place(item)))))
        for members in texts.values()
    ]


def _place(item: Candidate) -> tuple[bool, bool, int]:
    return NOT_ON_A_PAGE in item.faults, item.kind != "note", item.paddr


def _trust(group: _Group, proof: Proof) -> int:
    """Less is better."""
    if not is_whole(group.best):
        return 4
    if proof.proved is False:
        return 2 if proof.corrections else 3
    return 0 if proof.proved else 1


def _form(group: _Group, guest: Guest, pointed: frozenset[int]) -> tuple[bool | int, ...]:
    """How much it looks like the kernel's own; less is better, the address decides last."""
    best = group.best
    placed = {item.kind for item in group.members if NOT_ON_A_PAGE not in item.faults}
    return (
        not is_whole(best),
        best.paddr not in pointed,
        _machine_differs(best, guest) is not None,
        best.kind != "note",
        NOT_ON_A_PAGE in best.faults,
        _CRASHTIME.search(group.text) is None,
        len(placed) < 2,
        best.paddr,
    )


def _machine_differs(item: Candidate, guest: Guest) -> str | None:
    named = machine_of(item.vmcoreinfo)
    return named[0] if named and guest.machine is not None and named[0] != guest.machine else None


def _why(group: _Group, proof: Proof, first: tuple[_Group, Proof], guest: Guest, pointed: frozenset[int]) -> Safe:
    """One line; all of it printable."""
    item, best = group.best, first[0].best
    what = "note with header" if item.kind == "note" else "text without header"
    if NOT_ON_A_PAGE not in item.faults:
        what += " on a page start"
    if item.paddr in pointed:
        what += ", where the guest's lowcore points"
    said = [what, *item.faults]
    if (machine := _machine_differs(item, guest)) is not None:
        said.append(f"of a kernel for {machine}")
    if group is not first[0]:
        said.append(_relation(item, best))
    if is_whole(item):
        verdict = {True: "proved", False: "disproved", None: "not proved"}[proof.proved]
        return visible(f"{', '.join(said)}, {verdict}: {proof.why}")
    return visible(", ".join(said))


def _relation(item: Candidate, best: Candidate) -> str:
    """What a lesser candidate is to the best one."""
    where = f"the one at {best.paddr:#x}"
    if item.text == best.text or (not is_whole(item) and best.text.startswith(item.text)):
        return f"a copy of {where}"
    if _older(item, best):
        return f"{where} without CRASHTIME" if _CRASHTIME.search(best.text) else f"a part of {where}"
    release, other = item.vmcoreinfo.osrelease or b"", best.vmcoreinfo.osrelease or b""
    if release != other:
        return f"of another kernel, {visible(release[:64])}"
    return f"differs from {where} ({_difference(item, best)})"


def _difference(one: Candidate, other: Candidate) -> str:
    """The first key whose lines differ, in words."""
    a, b = one.vmcoreinfo, other.vmcoreinfo
    keys = dict.fromkeys(line.key for line in (*a.lines, *b.lines) if line.key is not None)
    differing = [key for key in keys if [x.raw for x in a.all(key)] != [x.raw for x in b.all(key)]]
    if not differing:
        return "in the order of their lines"
    more = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
    return visible(differing[0][:64]) + more
