"""Findings: what is worth knowing of the state, computed anew after each edit."""

from __future__ import annotations

from vmci_tui.core.checks import container, entry, memory, note, text
from vmci_tui.core.checks.base import Check, Context, Finding, Fix, Severity, Span
from vmci_tui.core.document import Document

__all__ = ["Context", "Finding", "Fix", "Severity", "Span", "findings"]

_CHECKS: tuple[Check, ...] = (entry.check, note.check, text.check, container.check, memory.check)
_RANK = {"error": 0, "warning": 1, "info": 2}


def findings(document: Document) -> tuple[Finding, ...]:
    """All findings, errors first, each kind in the order of the file."""
    context = Context.of(document)
    found = [finding for check in _CHECKS for finding in check(context)]
    found.sort(key=lambda item: _RANK[item.severity])
    return tuple(found)
