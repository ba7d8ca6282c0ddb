"""drgn: `prog.set_core_dump(FILE)`, then `prog["VMCOREINFO"]`; ELF by its own reader, kdump by its libkdumpfile."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from vmci_tui.readers import libdrgn
from vmci_tui.readers.drgn.memory import DrgnMemory
from vmci_tui.readers.libdrgn.text import KEYS, SINCE, lines
from vmci_tui.readers.libkdumpfile.reading import OpenedByDrgn, rule_parts
from vmci_tui.readers.libkdumpfile.releases import TURNS
from vmci_tui.readers.rule import NOT_KNOWN, ProbeResult, Reader, Rule, RuleHit
from vmci_tui.readers.rule_rows import RuleRows
from vmci_tui.readers.utsname_probe import probe


def _nul_before_release(r: OpenedByDrgn) -> RuleHit | None:
    printed, nul, rest = (b"" if r.kdump is not None else r.text or b"").partition(b"\0")
    if not nul or b"OSRELEASE=" in printed or b"OSRELEASE=" not in rest:
        return None
    return RuleHit(r.in_text(len(printed), 1), printed.decode("latin-1"))


_row: Final[RuleRows[OpenedByDrgn]] = RuleRows(f"drgn {libdrgn.VERSION}, ")
_ENDS_EARLY: Final = _row(
    "T03", "after", "ends-before-the-release", "Object.string_()", "",
    "drgn reads the text beyond a NUL, but prints it only up to the NUL: the printed part has no OSRELEASE.",
    where=_nul_before_release, since=(0, 0, 24),
)  # fmt: skip


@cache
def _rules(kdump: bool) -> tuple[Rule[Any], ...]:
    note, memory, last = rule_parts(kdump)
    return (*note, *memory, *last, _ENDS_EARLY)


def _reads(r: OpenedByDrgn) -> ProbeResult:
    """Probe memory: by p_vaddr and page tables in an ELF dump, by libkdumpfile in a kdump."""
    if r.kdump is not None:
        return r.kdump.reads()
    return NOT_KNOWN if r.parsed is None else probe(r.view, r.parsed.raw, DrgnMemory(r, r.parsed).read)


READER: Final = Reader(
    name="drgn",
    version=libdrgn.VERSION,
    command=libdrgn.COMMAND,
    read=OpenedByDrgn,
    rules_of=lambda r: _rules(r is None or r.is_kdump),
    accepted=lambda r: r.answer,
    lines=lines,
    keys=KEYS,
    reads=_reads,
    known=libdrgn.KNOWN,
    since=SINCE,
    shows_refused=False,
    read_as=OpenedByDrgn.at,
    turns=TURNS,
)
