"""Open libvirt's saves and snapshots in qcow2 disks: the QEMU stream in them, as a memory image."""

from __future__ import annotations

from dataclasses import replace

from vmci_tui.common.errors import PackageMissing
from vmci_tui.images.guest_image import GuestImage, ImageChoice
from vmci_tui.images.qemu_stream.records import MAGIC as STREAM
from vmci_tui.images.stream_image.open_stream import open_stream
from vmci_tui.images.wrapped.decoders import COMPRESSIONS
from vmci_tui.images.wrapped.decompressed import first_bytes, open_decompressed
from vmci_tui.images.wrapped.libvirt_save import read_save_head
from vmci_tui.images.wrapped.qcow2 import choose_snapshot, read_qcow2, state_source
from vmci_tui.layers.file import Source

_UNFINISHED = "libvirt had not finished writing this file when it was left: what it has of the VM is shown."


def open_save(source: Source, choice: ImageChoice) -> GuestImage:
    """Open what `virsh save` wrote. Raises OpenError."""
    head = read_save_head(source)
    if head.compression is None:
        image = open_stream(source, choice, head.stream)
    else:
        plain = open_decompressed(source, head.stream, head.compression, choice.progress)
        image = _with_fault(open_stream(plain, choice), plain.fault)
    if not head.finished:
        image = replace(image, doubts=(_UNFINISHED, *image.doubts))
    return _wrapped(image, "libvirt", head.stream, head.compression.name if head.compression else None)


def open_compressed(source: Source, choice: ImageChoice) -> GuestImage | None:
    """Open a compressed stream, as libvirt's `dump_image_format` leaves one; None if something else is compressed.

    Raises OpenError.
    """
    compression = next(one for one in COMPRESSIONS if source.read(0, len(one.magic)) == one.magic)
    try:
        begin = first_bytes(source, compression)
    except PackageMissing:  # the program that unpacks it is named, as for any other file
        return None
    if not begin.startswith(STREAM):
        return None
    plain = open_decompressed(source, 0, compression, choice.progress)
    return _wrapped(_with_fault(open_stream(plain, choice), plain.fault), None, 0, compression.name)


def open_disk(source: Source, choice: ImageChoice) -> GuestImage:
    """Open the state of a VM in a qcow2 disk image. Raises OpenError."""
    disk = read_qcow2(source)
    state = state_source(disk, choose_snapshot(disk, choice.snapshot))
    return _wrapped(open_stream(state, choice), "qcow2", state.file_offset(0) or 0, None)


def _with_fault(image: GuestImage, fault: str) -> GuestImage:
    return replace(image, missing=". ".join(filter(None, (fault, image.missing)))) if fault else image


def _wrapped(image: GuestImage, wrapped: str | None, at: int, compression: str | None) -> GuestImage:
    facts = image.stream
    if facts is None:
        return image
    return replace(image, stream=replace(facts, at=at, wrapped=wrapped, compression=compression))
