"""Opening files in tests: whatever a test opens by these is closed when it ends, so it need not say `with`."""

from __future__ import annotations

from vmci_tui.document.document import Document
from vmci_tui.images.guest_image import ImageChoice
from vmci_tui.layers.file import FileSource
from vmci_tui.opening import open_file

_OPEN: list[Document | FileSource] = []


def open_document(path: str, blob: str | None = None, choice: ImageChoice | None = None) -> Document:
    """Open a document as `vmci_tui.opening.open_file.open_document` does; it is closed when the test ends."""
    _OPEN.append(document := open_file.open_document(path, blob, choice))
    return document


def file_source(path: str) -> FileSource:
    """Open a file as `FileSource` does; it is closed when the test ends."""
    _OPEN.append(source := FileSource(path))
    return source


def close_all() -> None:
    """Close the files that the finished test opened."""
    while _OPEN:
        _OPEN.pop().close()
