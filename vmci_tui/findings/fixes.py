"""The fixes that the catalogue names, for findings that no check made a fix for."""

from __future__ import annotations

from typing import Final

from vmci_tui.document import edit_head, edit_text
from vmci_tui.document.edit import Edit
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.findings.finding import Context

ORDER_HEAD: Final = Edit.of(edit_head.order_head)
_MERGE_HEADERS: Final = Edit.of(edit_head.merge_headers)
_CRASHTIME: Final = b"CRASHTIME"


def fix_of(code: str, context: Context) -> Edit | None:
    """Return the fix that the catalogue names for a code; None if it names none, or there is nothing to fix."""
    name, text = catalogue()[code].fix, context.state.vmcoreinfo
    if name == "order-head" and not context.arranged:
        return ORDER_HEAD
    if name == "merge-headers":
        return _MERGE_HEADERS
    if name == "delete-crashtime" and text is not None and text.all(_CRASHTIME):
        return Edit.of(edit_text.delete_key, key=_CRASHTIME).named("remove CRASHTIME")
    return None
