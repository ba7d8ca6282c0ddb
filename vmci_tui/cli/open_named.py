"""Open the file that a command names, as its options say."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from vmci_tui.cli.output import shown_progress
from vmci_tui.common.errors import UsageError
from vmci_tui.document.document import Document
from vmci_tui.opening.open_file import names_vm, open_document

if TYPE_CHECKING:
    from vmci_tui.images.guest_image import ImageChoice


def open_named(options: argparse.Namespace, path: str | None = None) -> Document:
    """Open FILE, or one of several, with the entry of --blob. Raises OpenError and UsageError."""
    blob = getattr(options, "blob", None)
    return open_document(options.file if path is None else path, blob, image_choice(options), shown_progress())


def open_to_save(options: argparse.Namespace) -> Document:
    """Open FILE for a command that saves a copy of it, or changes it. Raises OpenError and UsageError.

    A memory image is evidence: it is not changed itself. Of a running VM only `convert` writes a whole dump, because
    the guest stands still for it, and `cut` what it reads anyway.
    """
    if names_vm(options.file):
        raise UsageError("a VM is not changed, and only `vmci convert` copies all its memory", _CONVERT)
    document = open_named(options)
    if document.files and getattr(options, "in_place", False):
        document.close()
        raise UsageError(f"{document.name} is a memory image, which vmci does not change", f"{_CONVERT}, or use -o OUT")
    return document


_CONVERT = "convert it first: `vmci convert SOURCE -o OUT`"


def image_choice(options: argparse.Namespace) -> ImageChoice | None:
    """Return what the options say of a memory image or a VM; None if nothing."""
    mapped, snapshot = getattr(options, "map", None), getattr(options, "snapshot", None)
    stop, blocks = not getattr(options, "no_stop", False), getattr(options, "blocks", None)
    if stop and mapped is None and snapshot is None and blocks is None:
        return None
    from vmci_tui.images.guest_image import ImageChoice

    return ImageChoice(mapped, snapshot, stop, tuple(filter(None, (blocks or "").split(","))))
