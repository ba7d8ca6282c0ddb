"""Add what the two witnesses show of a note, utsname and page tables, to what the kernel's tables say of its lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from vmci_tui.kernel.lines.proved_line import ProvedLine, ProvedLines
from vmci_tui.search.candidate import Proof

_SHOWN_BY: Final = {
    b"SYMBOL(init_uts_ns)": "the utsname that is there",
    b"OFFSET(uts_namespace.name)": "the utsname that is there",
    b"SYMBOL(swapper_pg_dir)": "the page tables that are there",
}
"""Lines without which neither witness would be where the note says."""


def with_witnesses(lines: Iterable[ProvedLine], proof: Proof) -> ProvedLines:
    """Return the lines, those that are unknown with the verdict of the two witnesses where they have one."""
    right = {correction.key: correction.value for correction in proof.corrections}
    return ProvedLines(tuple(_judged(line, proof, right) if line.verdict == "unknown" else line for line in lines))


def _judged(line: ProvedLine, proof: Proof, right: dict[bytes, bytes]) -> ProvedLine:
    by = _SHOWN_BY.get(line.key)
    if line.key in right and right[line.key] != line.value:
        return line._replace(verdict="contradicted", found=right[line.key], by="utsname and page tables", why="")
    if by is None or proof.proved is not True:
        return line
    return line._replace(verdict="confirmed", found=line.value, by=by, why="")
