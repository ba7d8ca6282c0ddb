"""Open libvirt's saves and snapshots in qcow2 disks: the QEMU stream in them, as a memory image."""

from __future__ import annotations

from vmci_tui.common.records import replace
from vmci_tui.images.guest_image import GuestImage, ImageChoice
from vmci_tui.images.stream_image.open_stream import open_stream
from vmci_tui.images.wrapped.decompressed import open_decompressed
from vmci_tui.images.wrapped.libvirt_save import read_save_head
from vmci_tui.images.wrapped.qcow2 import choose_snapshot, read_qcow2, state_source
from vmci_tui.images.wrapped.shifted import ShiftedSource
from vmci_tui.layers.file import Source

_UNFINISHED = "libvirt had not finished writing this file when it was left: what it has of the VM is shown."


def open_save(source: Source, choice: ImageChoice) -> GuestImage:
    """Open what `virsh save` wrote. Raises OpenError."""
    head = read_save_head(source)
    if head.compression is None:
        image = open_stream(ShiftedSource(source, head.stream), choice)
    else:
        plain = open_decompressed(source, head.stream, head.compression, choice.progress)
        image = open_stream(plain, choice)
        if plain.fault:
            image = replace(image, missing=". ".join(filter(None, (plain.fault, image.missing))))
    if not head.finished:
        image = replace(image, doubts=(_UNFINISHED, *image.doubts))
    return _wrapped(image, "libvirt", head.stream, head.compression.name if head.compression else None)


def open_disk(source: Source, choice: ImageChoice) -> GuestImage:
    """Open the state of a VM in a qcow2 disk image. Raises OpenError."""
    disk = read_qcow2(source)
    state = state_source(disk, choose_snapshot(disk, choice.snapshot))
    return _wrapped(open_stream(state, choice), "qcow2", state.file_offset(0) or 0, None)


def _wrapped(image: GuestImage, wrapped: str, at: int, compression: str | None) -> GuestImage:
    facts = image.stream
    if facts is None:
        return image
    return replace(image, stream=replace(facts, at=at, wrapped=wrapped, compression=compression))
