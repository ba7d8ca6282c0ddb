"""Read the head of a file that `virsh save` or `virsh managedsave` wrote.

libvirt 9.0, and 11.3 for sparse saves, src/qemu/qemu_saveimage.h (virQEMUSaveHeader): 92 bytes in the byte order
of the host, then XML of the domain and a cookie, each with a NUL, padded; then QEMU's stream, plain or compressed. The
magic says whether libvirt finished the file.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.common.named_struct import NamedStruct
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.images.wrapped.decoders import BZIP2, GZIP, XZ, ZSTD, Compression
from vmci_tui.layers.file import Source

MAGIC: Final = b"LibvirtQemudSave"
UNFINISHED: Final = b"LibvirtQemudPart"
_FIELDS: Final = ("magic", "version", "data_len", "was_running", "format", "cookie_at", "unused")
_CODES: Final = ("16s", "I", "I", "I", "I", "I", "56s")
_VERSIONS: Final = (1, 2, 3)
_PLAIN: Final = (0, 6)
"""raw, and from libvirt 11 on sparse: mapped-ram, whose offsets are those of the whole file."""
_FORMATS: Final[dict[int, Compression]] = {1: GZIP, 2: BZIP2, 3: XZ, 5: ZSTD}
_LZOP: Final = 4


class SaveHead(NamedTuple):
    """What the head says."""

    stream: int
    """The offset of QEMU's stream, or of its compressed bytes."""
    compression: Compression | None
    """None if the stream is plain."""
    finished: bool
    """Whether libvirt finished the file."""


def read_save_head(file: Source) -> SaveHead:
    """Return what the head of a libvirt save says. Raises OpenError for a format that is not read here."""
    head = file.read(0, _record("little").size)
    if len(head) < _record("little").size:
        raise OpenError("this `virsh save` image is cut off: it has no whole head", "copy it again")
    found = (_record(order).unpack(head) for order in ("little", "big"))
    values = next((values for values in found if values[1] in _VERSIONS), None)
    if values is None:
        raise OpenError("the head of this `virsh save` image is of a version that is not known", "copy it again")
    magic, _, length, _, number, _, _ = values
    if number == _LZOP:
        raise OpenError("this `virsh save` image is compressed by lzop, which vmci does not read", _unpack(length))
    if number not in _PLAIN and number not in _FORMATS:
        raise OpenError(f"this `virsh save` image is of format {number}, which is not known", "is it damaged?")
    return SaveHead(len(head) + length, _FORMATS.get(number), magic == MAGIC)


def _record(order: ByteOrder) -> NamedStruct:
    return NamedStruct.of(order, _FIELDS, _CODES)


def _unpack(length: int) -> str:
    at = _record("little").size + length + 1
    return f"unpack it first: `tail -c +{at} FILE | lzop -d > OUT`, then open OUT"
