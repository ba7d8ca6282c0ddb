"""The row of a finding's code in the catalogue.

Checks add the place and the numbers; the readers' rules say which readers a finding concerns, and in which words.
Codes are contract: they stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "info"]
About = Literal["entry", "file", "memory", "notes", "note", "text", "line"]
FixName = Literal["order-headers", "merge-headers", "delete-crashtime"]
WhenSafe = Literal["always", "refused", "kept", "proved"]
Group = Literal["foreign", "misread", "addresses", "memory"]


class FindingType(NamedTuple):
    """A row of the catalogue. `what`, `why`, `example` and `cure` are of one line each, for the page of findings."""

    code: str
    severity: Severity
    """A check may choose another one."""
    about: About
    """The finding is about all of an entry, file, memory, its notes or text: all rules of readers with this code belong
    to the first such finding; `note` or `line`: one finding each, a rule belongs to the one at its place."""
    what: str
    why: str
    example: str
    cure: str
    craft: Mapping[str, tuple[str, ...]]
    """The defects of the fault bench that produce it, by name, each with the codes that always come with it."""
    fix: FixName | None = None
    """The edit that removes a finding which only readers see; a check that makes a finding makes its fix too."""
    safe: WhenSafe | None = None
    """When `vmci repair` may apply the fix without asking: always; only if a reader refused because of it (the fix
    loses bytes); only if what differs is kept; only if all else of the note is proved, and with the fix the note too;
    None: never."""
    adopt: bool = False
    """Whether restoring a note from guest memory removes it."""
    foreign_note: bool = False
    """Whether the note is of another kernel, so that a session with its vmlinux would read the wrong memory."""
    group: Group | None = None
    """How rules of readers are joined with the findings of checks. `foreign`: the reader is built for another machine,
    the file is not at fault; `misread`: seen by a reader that takes the file's header for one of its own machine: then
    it is `foreign`; `addresses`: the addresses in the program headers are wrong, which explains what readers find in
    memory; `memory`: something is wrong where a reader looks for kernel memory."""
    cure_of_image: str = ""
    """What cures it in a memory image or a running VM, of which `vmci convert` makes a dump; empty if `cure` does."""

    @property
    def one_by_one(self) -> bool:
        """Whether each note or line has its own finding, to which the readers' rules at its place belong."""
        return self.about in ("note", "line")

    @property
    def of_text(self) -> bool:
        """Whether it is about the text: all of it, or one line."""
        return self.about in ("text", "line")
