"""Findings: what is wrong or worth knowing in a state, computed after each edit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from vmci_tui.common.span import Span
from vmci_tui.document.document import Document
from vmci_tui.findings.catalogue import Severity
from vmci_tui.findings.checks import addresses, elf, lines, memory, note, text
from vmci_tui.findings.checks import text_values as values
from vmci_tui.findings.finding import Check, Context, Finding, ReaderImpact
from vmci_tui.findings.join_verdicts import grouped
from vmci_tui.readers.verdicts import Verdicts
from vmci_tui.readers.version import numbers_of
from vmci_tui.search.candidate import Proof

if TYPE_CHECKING:
    from vmci_tui.kernel.lines.proved_line import ProvedLines

__all__ = ["Context", "Finding", "ReaderImpact", "Severity", "Span", "findings"]


def _entry(context: Context) -> Iterator[Finding]:
    """Check the entry, and the memory that it points at, if one is open."""
    if context.state.entry is None:
        return
    from vmci_tui.findings.checks import entry, entry_region

    yield from entry.check(context)
    yield from entry_region.check(context)


def _of_elf() -> tuple[Check, ...]:
    return (elf.check, addresses.check, memory.check_overlaps)


def _of_kdump() -> tuple[Check, ...]:
    from vmci_tui.findings.checks import kdump

    return (kdump.check,)


_OF_HEADERS: Mapping[str, Callable[[], tuple[Check, ...]]] = {"elf": _of_elf, "kdump": _of_kdump}
"""The checks of a dump's headers, by the kind of header."""


def _container(context: Context) -> Iterator[Finding]:
    """Check the headers of the dump; read a flattened one through its records."""
    dump = context.dump
    checks = _OF_HEADERS[dump.kind]() if dump is not None and dump.kind in _OF_HEADERS else ()
    if dump is None or dump.flat is None:
        yield from (finding for check in checks for finding in check(context))
        return
    from vmci_tui.findings.checks import flattened

    yield from flattened.check(context)
    yield from flattened.through_records(context, checks)


_CHECKS: tuple[Check, ...] = (*(_entry, note.check, text.check, values.check, _container, memory.check, lines.check),)
_RANK = {"error": 0, "warning": 1, "info": 2}
_EACH = 20
"""Findings of one code and severity that are listed; the last one counts the rest."""


def findings(
    document: Document, verdicts: Verdicts, proof: Proof | None, proved: ProvedLines | None = None
) -> tuple[Finding, ...]:
    """Return all findings with the readers that they concern, in order of severity; within one severity
    those that make a reader refuse come first, and of these those with a fix.

    `verdicts` are over the document's layout; `proof` is the result of checking its text against memory, `proved`
    that of comparing each of its lines with the kernel's tables, if that was done.
    """
    makedumpfile = verdicts.get("makedumpfile")
    version = () if makedumpfile is None else numbers_of(makedumpfile.reader.version)
    context = Context.of(document, proof, version, proved)
    found = list(grouped(_capped(finding for check in _CHECKS for finding in check(context)), verdicts, context))
    found.sort(key=lambda item: (_RANK[item.severity], not any(c.refuses for c in item.readers), item.fix is None))
    return tuple(item.of_image() for item in found) if document.is_image else tuple(found)


def _capped(found: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the first few findings of each code, then their number: a hostile dump has 100,000 of one code."""
    seen: Counter[tuple[str, Severity]] = Counter()
    last: dict[tuple[str, Severity], Finding] = {}
    for item in found:
        kind = item.code, item.severity
        seen[kind] += 1
        if seen[kind] <= _EACH:
            yield item
        else:
            last[kind] = item
    for kind, item in last.items():
        yield item._replace(message=f"{seen[kind] - _EACH} more have the same problem", fix=None)
