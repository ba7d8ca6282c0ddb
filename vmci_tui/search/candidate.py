"""What a search of guest memory finds, and the proof of it."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from vmci_tui.formats.elf_note import HEADER, NAME, ByteOrder, Note, align_up, build, parse_raw
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo


class Candidate(NamedTuple):
    """A whole note with its header, or text alone (the vmcoreinfo_data page), at `paddr`."""

    paddr: int
    offset: int | None
    """The file offset; None if the file does not have the bytes in one place (a compressed page)."""
    kind: Literal["note", "text"]
    raw: bytes
    """A note from its header to the end of its padding; a text up to its last newline."""
    order: ByteOrder | None
    """Byte order of the note's header; None for a text."""
    damage: str = ""
    """Why it is not whole; empty for a whole one."""
    misplaced: bool = False
    """Whether it does not begin on a page; since 4.13 the kernel's own note and text do, before it can be anywhere."""

    @property
    def whole(self) -> bool:
        """Return whether it is complete, wherever it is."""
        return not self.damage

    @property
    def faults(self) -> tuple[str, ...]:
        """Return what is wrong with it; empty for a good one."""
        return ((self.damage,) if self.damage else ()) + (("not at a page boundary",) if self.misplaced else ())

    @property
    def text(self) -> bytes:
        """Return the key=value text, unchanged; the part that exists for a note that is cut."""
        if self.kind == "text":
            return self.raw
        note = parse_raw(self.raw)
        return note.desc if note is not None else self.raw[align_up(HEADER + len(NAME)) :]

    @property
    def vmcoreinfo(self) -> Vmcoreinfo:
        return Vmcoreinfo(self.text)

    def note(self, order: ByteOrder) -> Note:
        """Build the note that a dump of this byte order gets; name and text are unchanged."""
        return build(NAME, 0, self.text, order)


class Correction(NamedTuple):
    """A key whose value memory contradicts, and the value that fits."""

    key: bytes
    value: bytes
    why: str


class Proof(NamedTuple):
    """What memory says about a vmcoreinfo text."""

    proved: bool | None
    """True: two witnesses agree; False: memory contradicts it; None: memory cannot decide."""
    why: str
    """One sentence, with the addresses, safe to show."""
    corrections: tuple[Correction, ...] = ()
    """Only with False: values with which it fits, confirmed by the second witness. At most one set fits."""


PROVED: Final = {True: "proved", False: "disproved", None: "not provable"}
"""What memory says, as one word."""


class RankedCandidate(NamedTuple):
    """A candidate with its proof, as one entry of a list that has the most trusted one first."""

    candidate: Candidate
    proof: Proof
    why: str
    """One line: what it is, and the reason for its rank."""
    copies: tuple[int, ...] = ()
    """The other paddrs that have the same text."""
    runs: bool | None = None
    """Whether the processors run this kernel, if memory proves more than one; None if that is not known."""
    found_by: Literal["search", "kernel", "entry"] = "search"
    """By a search of memory, or by the pointers of the kernel that runs, or by the guest's entry: in both cases memory
    was not searched for others."""
    own: bool = False
    """Whether the kernel that runs says that this one is wanted, where memory proves others too: its pointers name it,
    or it was started because this one's kernel crashed."""
