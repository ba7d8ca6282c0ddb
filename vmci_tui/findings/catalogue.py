"""The catalogue of findings: each code with all that the rest of the program asks about it.

The data is in catalogue.toml, whose head says what the fields mean. Checks add the place and the numbers;
which readers a finding concerns, and in which words, is in the readers' rules alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, Literal, NamedTuple

from vmci_tui.common.packaged import packaged_toml

Severity = Literal["error", "warning", "info"]
About = Literal["entry", "file", "memory", "notes", "note", "text", "line"]
FixName = Literal["order-head", "merge-headers", "delete-crashtime"]
WhenSafe = Literal["always", "refused"]
Group = Literal["foreign", "misread", "addresses", "memory"]
GROUPS: Final = {"E": "The entry", "N": "The notes", "T": "The text", "C": "The container", "M": "Memory"}
"""What the findings are about whose codes begin with a letter."""


class FindingType(NamedTuple):
    """One kind of finding: a row of the catalogue."""

    code: str
    severity: Severity
    what: str
    why: str
    example: str
    cure: str
    about: About
    craft: Mapping[str, tuple[str, ...]]
    """The defects that make one, by name, each with the codes that it cannot do without."""
    fix: FixName | None = None
    safe: WhenSafe | None = None
    adopt: bool = False
    group: Group | None = None

    @property
    def one_by_one(self) -> bool:
        """Whether there is one finding for each note or line, and a reader's rule belongs to the one at its place."""
        return self.about in ("note", "line")

    @property
    def of_text(self) -> bool:
        """Whether it is a fault of the text, as a whole or in a line."""
        return self.about in ("text", "line")


@cache
def catalogue() -> Mapping[str, FindingType]:
    """Read the catalogue: every kind of finding by its code, in the order in which they are listed."""
    return {code: _finding_type(code, **row) for code, row in packaged_toml(__package__, "catalogue.toml").items()}


def _finding_type(code: str, craft: Mapping[str, list[str]], **fields: object) -> FindingType:
    return FindingType(code, craft={name: tuple(beside) for name, beside in craft.items()}, **fields)  # type: ignore[arg-type]
