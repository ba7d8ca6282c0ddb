"""Have the note of a dump decided about in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing

from vmci_tui.adoption.apart.messages import values_of
from vmci_tui.adoption.choose import Adoption
from vmci_tui.common.progress import Progress
from vmci_tui.document.document import Document
from vmci_tui.layers.file import files_of

_MODULE = "vmci_tui.adoption.apart.child"


def consider_apart(
    document: Document, versions: Mapping[str, str], progress: Progress, check: Callable[[], None]
) -> Adoption | None:
    """Return the decision about a dump of files, unedited; None if the process fails, or may not start.

    `versions` are those of the readers that judge. Raises what `check`, which is called ten times a second, and
    `progress` raise; the process is then ended.
    """
    files = [file.identity for file in files_of(document.source)]
    with closing(values_of(_MODULE, [document.opened_as, files, dict(versions)], check)) as values:
        for value in values:
            if isinstance(value, Adoption):
                return value
            progress(*value)
    return None
