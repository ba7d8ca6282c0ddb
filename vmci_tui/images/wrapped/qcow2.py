"""Find the state of a running VM in a qcow2 disk image: `savevm` and `virsh snapshot-create` put it there.

QEMU docs/interop/qcow2.txt. A snapshot has an L1 table of its own; the state of the VM is in the clusters after the
end of the disk. Numbers are big-endian.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.common.named_struct import NamedStruct
from vmci_tui.common.safe_text import visible
from vmci_tui.layers.file import Source
from vmci_tui.layers.record_index import RecordIndex

MAGIC: Final = b"QFI\xfb"
_HEADER: Final = NamedStruct.of(
    "big",
    ("magic", "version", "backing_at", "backing_length", "cluster_bits", "size", "encryption", "l1_size", "l1_at",
     "refcounts_at", "refcount_clusters", "snapshots", "snapshots_at", "incompatible"),
    ("4s", "I", "Q", "I", "I", "Q", "I", "I", "Q", "Q", "I", "I", "Q", "Q"),
)  # fmt: skip
_SNAPSHOT: Final = NamedStruct.of(
    "big",
    ("l1_at", "l1_size", "id_length", "name_length", "seconds", "nanoseconds", "clock", "short_state", "extra"),
    ("Q", "I", "H", "H", "I", "I", "Q", "I", "I"),
)
_EXTRA: Final = NamedStruct.of("big", ("state", "disk"), ("Q", "Q"))
_EXTERNAL, _EXTENDED_L2 = 1 << 2, 1 << 4
"""Bits of the incompatible features: data in another file; a bitmap of 32 parts for each cluster."""
_CLUSTER_BITS: Final = range(9, 22)
_SNAPSHOTS: Final = 4096
"""More than QEMU allows to take at a time in practice; each has a name of 64 KB at most."""
_L1: Final = 32 << 20
"""Bytes of an L1 table, as QEMU bounds it."""
_OFFSET: Final = 0x00FF_FFFF_FFFF_FE00
_COMPRESSED, _ZEROS = 1 << 62, 1
_REPEATED: Final = "the tables of this snapshot name more clusters than the file has"
_DAMAGED: Final = "the disk image is damaged"
_NOT_A_DISK: Final = "open a memory dump, not a disk"


class Snapshot(NamedTuple):
    """A snapshot that has the state of a VM."""

    name: str
    l1_at: int
    l1_size: int
    """Entries of its L1 table."""
    state: int
    """Bytes of the VM's state."""
    disk: int
    """Bytes of the disk; the state begins after them, where an L1 entry begins."""


class Qcow2(NamedTuple):
    """A disk image with snapshots."""

    file: Source
    cluster_bits: int
    extended: bool
    snapshots: tuple[Snapshot, ...]


class StateSource:
    """The state of a VM: pieces of the disk image, and zeros where it has none."""

    def __init__(self, file: Source, index: RecordIndex, size: int) -> None:
        self.size = size
        self._file, self._index = file, index

    def read(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        if offset < 0 or length <= 0:
            return b""
        out = bytearray(length)
        for piece in self._index.pieces(offset, length):
            data = self._file.read(piece.place, piece.length)
            out[piece.offset - offset : piece.offset - offset + len(data)] = data
        return bytes(out)

    def file_offset(self, offset: int) -> int | None:
        """Return the offset in the disk image of a byte of the state; None if it has none."""
        return self._index.run(offset)[0]

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        for piece in self._index.pieces(start, min(end, self.size) - start):
            yield piece.offset, piece.offset + piece.length


def read_qcow2(file: Source) -> Qcow2:
    """Return the snapshots of running VMs that a disk image has. Raises OpenError for one that is not read here."""
    head = file.read(0, _HEADER.size).ljust(_HEADER.size, b"\0")
    values = dict(zip((field.name for field in _HEADER.fields), _HEADER.unpack(head), strict=True))
    if values["version"] not in (2, 3) or values["cluster_bits"] not in _CLUSTER_BITS:
        raise OpenError("this qcow2 disk image has a header that is not known", _NOT_A_DISK)
    features = values["incompatible"] if values["version"] == 3 else 0
    if values["encryption"]:
        raise OpenError("this qcow2 disk image is encrypted", "`qemu-img convert` with its key makes a plain copy")
    if features & _EXTERNAL:
        raise OpenError("this qcow2 disk image has its data in another file", "snapshots in it cannot be read")
    if values["snapshots"] > _SNAPSHOTS:
        raise OpenError(f"this qcow2 disk image says it has {values['snapshots']} snapshots", "its header is damaged")
    found = tuple(_snapshots(file, values["snapshots_at"], values["snapshots"], values["size"]))
    return Qcow2(file, values["cluster_bits"], bool(features & _EXTENDED_L2), found)


def _snapshots(file: Source, at: int, count: int, disk: int) -> Iterator[Snapshot]:
    for _ in range(count):
        head = file.read(at, _SNAPSHOT.size)
        if len(head) < _SNAPSHOT.size:
            raise OpenError(f"the table of snapshots of this qcow2 disk image is cut off at {at:#x}", "copy it again")
        l1_at, l1_size, id_length, name_length, *_, state, extra = _SNAPSHOT.unpack(head)
        at += _SNAPSHOT.size
        more = file.read(at, _EXTRA.size)
        if extra >= 8 and len(more) >= 8:
            state = int.from_bytes(more[:8], "big")
        if extra >= _EXTRA.size and len(more) == _EXTRA.size:
            disk = _EXTRA.unpack(more)[1]
        name = file.read(at + extra + id_length, name_length).decode("utf-8", "surrogateescape")
        if state:
            yield Snapshot(name, l1_at, l1_size, state, disk)
        at += -(-(_SNAPSHOT.size + extra + id_length + name_length) // 8) * 8 - _SNAPSHOT.size


def choose_snapshot(disk: Qcow2, name: str | None) -> Snapshot:
    """Return the snapshot of that name, or the only one. Raises OpenError, with the names that there are."""
    if not disk.snapshots:
        raise OpenError("this is a qcow2 disk image without a snapshot of a running VM", _NOT_A_DISK)
    named = [one for one in disk.snapshots if name in (None, one.name)]
    if len(named) == 1:
        return named[0]
    listed = ", ".join(visible(one.name) for one in disk.snapshots[:8])
    more = f", and {len(disk.snapshots) - 8} more" if len(disk.snapshots) > 8 else ""
    if name is not None:
        what = f"no snapshot named {visible(name)}" if not named else f"several snapshots named {visible(name)}"
        raise OpenError(f"this qcow2 disk image has {what}", f"it has: {listed}{more}")
    what = f"this qcow2 disk image has {len(disk.snapshots)} snapshots of running VMs"
    raise OpenError(what, f"choose one with `--snapshot NAME`: {listed}{more}")


def state_source(disk: Qcow2, snapshot: Snapshot) -> StateSource:
    """Return the bytes of a VM's state, by the tables of its snapshot. Raises OpenError if these are damaged."""
    file, cluster = disk.file, 1 << disk.cluster_bits
    entry = 16 if disk.extended else 8
    per_table = cluster // entry
    covered = cluster * per_table
    if snapshot.l1_size * 8 > _L1:
        raise OpenError("the tables of this snapshot are longer than QEMU allows", _DAMAGED)
    l1 = _numbers(file.read(snapshot.l1_at, snapshot.l1_size * 8))
    index = RecordIndex.empty()
    first = -(-snapshot.disk // covered)
    tables = -(-snapshot.state // covered)
    used = [(number, table & _OFFSET) for number, table in enumerate(l1[first : first + tables]) if table & _OFFSET]
    if len(used) > file.size // cluster:
        raise OpenError(_REPEATED, _DAMAGED)
    for number, table in used:
        entries = _numbers(file.read(table, cluster))
        for at, place, length in _pieces(entries, cluster, disk.extended):
            _add(index, number * covered + at, place, length, snapshot.state)
        if index.number > file.size // (cluster // 32 if disk.extended else cluster) + 1:
            raise OpenError(_REPEATED, _DAMAGED)
    return StateSource(file, index, min(snapshot.state, (len(l1) - first) * covered if len(l1) > first else 0))


def _pieces(entries: array[int], cluster: int, extended: bool) -> Iterator[tuple[int, int, int]]:
    """Yield what an L2 table maps: offset in what it covers, offset in the file, bytes. Raises OpenError."""
    step = 2 if extended else 1
    for number, entry in enumerate(entries[::step]):
        at, place = number * cluster, entry & _OFFSET
        if entry & _COMPRESSED:
            raise OpenError("the state of this VM is in compressed clusters, which QEMU does not write", _DAMAGED)
        if not place or (not extended and entry & _ZEROS):
            continue
        if not extended or entries[number * 2 + 1] & 0xFFFF_FFFF == 0xFFFF_FFFF:
            yield at, place, cluster
            continue
        part, bits = cluster // 32, entries[number * 2 + 1]
        yield from ((at + n * part, place + n * part, part) for n in range(32) if bits >> n & 1)


def _add(index: RecordIndex, at: int, place: int, length: int, end: int) -> None:
    """Add a piece, as part of the one before if it goes on there."""
    length = min(length, end - at)
    if length <= 0:
        return
    offsets, lengths, places = index
    if offsets and (offsets[-1] + lengths[-1], places[-1] + lengths[-1]) == (at, place):
        lengths[-1] += length
    else:
        index.add(at, length, place)


def _numbers(data: bytes) -> array[int]:
    out = array("Q", data[: len(data) // 8 * 8])
    if sys.byteorder == "little":
        out.byteswap()
    return out
