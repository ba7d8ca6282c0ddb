"""A place in guest memory that looks like the note or its text, and what is thought of it."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from vmci_tui.formats.elf_note import HEADER, NAME, ByteOrder, Note, align_up, build, parse_raw
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo


class Candidate(NamedTuple):
    """What lies at `paddr`: a whole note with its header, or bare text (the vmcoreinfo_data page)."""

    paddr: int
    offset: int | None
    """Where that is in the file; None where no byte of the file is it (a compressed page)."""
    kind: Literal["note", "text"]
    raw: bytes
    """A note from its header to its padding; a text to its last newline."""
    order: ByteOrder | None
    """Byte order of the note's header; None for a text."""
    damage: str = ""
    """Why it is not whole; empty for a whole one."""
    misplaced: bool = False
    """Whether it does not begin on a page, as the kernel's own does from 4.13 on; before it may lie anywhere."""

    @property
    def whole(self) -> bool:
        """Whether nothing is missing of it, wherever it lies."""
        return not self.damage

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with it; empty for a good one."""
        return ((self.damage,) if self.damage else ()) + (("not on a page start",) if self.misplaced else ())

    @property
    def text(self) -> bytes:
        """The key=value text, to the byte; of a note that is cut, what there is of it."""
        if self.kind == "text":
            return self.raw
        note = parse_raw(self.raw)
        return note.desc if note is not None else self.raw[align_up(HEADER + len(NAME)) :]

    @property
    def vmcoreinfo(self) -> Vmcoreinfo:
        return Vmcoreinfo(self.text)

    def note(self, order: ByteOrder) -> Note:
        """The note that a dump of this byte order gets; name and text stay to the byte."""
        return build(NAME, 0, self.text, order)


class Correction(NamedTuple):
    """A key whose value memory contradicts, and the value that fits."""

    key: bytes
    value: bytes
    why: str


class Proof(NamedTuple):
    """What memory says of a vmcoreinfo text."""

    proved: bool | None
    """True: two witnesses agree; False: memory contradicts it; None: memory cannot tell."""
    why: str
    """One sentence, with the addresses, safe to show."""
    corrections: tuple[Correction, ...] = ()
    """Only for False: what would make it fit, confirmed by the second witness. At most one set fits."""


PROVED: Final = {True: "proved", False: "disproved", None: "not provable"}
"""What memory says, in a word."""


class RankedCandidate(NamedTuple):
    """A candidate with its proof, in the order of trust."""

    candidate: Candidate
    proof: Proof
    why: str
    """One line: what it is, and why it stands where it stands."""
    copies: tuple[int, ...] = ()
    """Where else the same text lies (paddr)."""
    runs: bool | None = None
    """Whether the processors run this kernel, where memory proves more than one; None where that is not known."""
