"""The catalogue of findings: everything about a code that does not depend on the file.

The data is in catalogue.toml, which explains its fields. Checks add the place and the numbers;
the readers' rules say which readers a finding concerns, and in which words.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, Literal

from vmci_tui.common.packaged import packaged_toml
from vmci_tui.common.records import NamedTuple

Severity = Literal["error", "warning", "info"]
About = Literal["entry", "file", "memory", "notes", "note", "text", "line"]
FixName = Literal["order-headers", "merge-headers", "delete-crashtime"]
WhenSafe = Literal["always", "refused", "kept", "proved"]
Group = Literal["foreign", "misread", "addresses", "memory"]
GROUPS: Final = {"E": "The entry", "N": "The notes", "T": "The text", "C": "The container", "M": "Memory"}
"""The headings of findings, by the first letter of their codes."""


class FindingType(NamedTuple):
    """A row of the catalogue."""

    code: str
    severity: Severity
    what: str
    why: str
    example: str
    cure: str
    about: About
    craft: Mapping[str, tuple[str, ...]]
    """The defects that produce it, by name, each with the codes that always come with it."""
    fix: FixName | None = None
    safe: WhenSafe | None = None
    adopt: bool = False
    foreign_note: bool = False
    group: Group | None = None
    cure_of_image: str = ""
    """What cures it in a memory image or a running VM; empty if `cure` does."""

    @property
    def one_by_one(self) -> bool:
        """Whether each note or line has its own finding, to which the readers' rules at its place belong."""
        return self.about in ("note", "line")

    @property
    def of_text(self) -> bool:
        """Whether it is about the text: all of it, or one line."""
        return self.about in ("text", "line")


@cache
def catalogue() -> Mapping[str, FindingType]:
    """Read the catalogue: all rows by their code, in the order in which findings are listed."""
    return {code: _finding_type(code, **row) for code, row in packaged_toml(__package__, "catalogue.toml").items()}


def _finding_type(code: str, craft: Mapping[str, list[str]], **fields: object) -> FindingType:
    return FindingType(code, craft={name: tuple(beside) for name, beside in craft.items()}, **fields)  # type: ignore[arg-type]
