"""Open a file as a memory image, by its first bytes: one table, a row for each format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.images.as_dump import ImageDump, dump_of
from vmci_tui.images.avml import MAGIC as AVML
from vmci_tui.images.avml import open_avml
from vmci_tui.images.guest_image import GuestImage, ImageChoice
from vmci_tui.images.iomem import LIMIT as MAP_LIMIT
from vmci_tui.images.lime import MAGIC as LIME
from vmci_tui.images.lime import open_lime
from vmci_tui.images.qemu_stream.records import MAGIC as STREAM
from vmci_tui.images.raw import open_mapped
from vmci_tui.images.stream_image.open_stream import open_stream
from vmci_tui.images.wrapped import libvirt_save, qcow2
from vmci_tui.images.wrapped.decoders import COMPRESSIONS
from vmci_tui.images.wrapped.open_wrapped import open_compressed, open_disk, open_save
from vmci_tui.layers.file import FileSource, Source, read_small

_HEAD: Final = 16
"""Bytes that identify an image; also the length of an entry, which may begin as an image does."""


class ImageFormat(NamedTuple):
    """A row of the table of memory images."""

    magic: bytes
    """The first bytes of such a file."""
    open: Callable[[Source, ImageChoice], GuestImage | None]
    """Returns None for a file that only begins like one. Raises OpenError for a damaged image."""


IMAGES: Final = (
    ImageFormat(LIME, open_lime),
    ImageFormat(AVML, open_avml),
    ImageFormat(STREAM, open_stream),
    ImageFormat(libvirt_save.MAGIC, open_save),
    ImageFormat(libvirt_save.UNFINISHED, open_save),
    ImageFormat(qcow2.MAGIC, open_disk),
    *(ImageFormat(compression.magic, open_compressed) for compression in COMPRESSIONS),
)


def image_of(source: Source, choice: ImageChoice) -> GuestImage | None:
    """Return the memory image in `source`; None if no row of the table takes it. Raises OpenError."""
    if choice.map is not None:
        return open_mapped(source, read_small(choice.map, MAP_LIMIT, "a map of memory"))
    head = source.read(0, _HEAD)
    row = next((row for row in IMAGES if head.startswith(row.magic)), None)
    return None if row is None or source.size <= _HEAD else row.open(source, choice)


def open_image(
    source: FileSource, choice: ImageChoice | None = None, progress: Progress = no_progress, pages: bool = False
) -> ImageDump | None:
    """Open a memory image as a dump; None if the file is not one. Raises OpenError, with the name of the file."""
    try:
        image = image_of(source, (choice or ImageChoice())._replace(progress=progress, pages=pages))
        return None if image is None else dump_of(image, (source,))
    except OpenError as error:
        raise OpenError(f"{source.name}: {error.message}", error.hint) from None
