"""Declare the records of a kdump-compressed file, in both widths and byte orders.

Sources: makedumpfile 1.7.2 diskdump_mod.h, QEMU 7.2 include/sysemu/dump.h, libkdumpfile diskdump.c. The
32-bit sub-header has two layouts: packed, which x86 compilers make and QEMU writes for every guest,
and padded, which the tools of 32-bit ARM and MIPS kernels write.
"""

from __future__ import annotations

from functools import cache
from typing import Final, Literal, NamedTuple

from vmci_tui.common.named_struct import NamedStruct
from vmci_tui.formats.elf_note import ByteOrder

SIGNATURE: Final = b"KDUMP   "
DISKDUMP: Final = b"DISKDUMP"
"""The signature of the older format, diskdump, whose header is the same."""
Width = Literal[32, 64]

ZLIB, LZO, SNAPPY, INCOMPLETE, EXCLUDED_VMEMMAP, ZSTD = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20
"""Flags of the header's `status`; a page descriptor has the flag of its compression."""

BLOCK_SIZES: Final = (4096, 8192, 16384, 32768, 65536)

UTSNAME: Final = ("sysname", "nodename", "release", "version", "machine", "domainname")
UTSNAME_FIELDS: Final = tuple(f"utsname.{name}" for name in UTSNAME)
"""Their names as fields of the header."""
UTSNAME_LIMIT: Final = 64
"""Bytes of each name, without its NUL."""


class DiskDumpHeader(NamedTuple):
    """`struct disk_dump_header`, in block 0. Sizes are in blocks; `block_size` is in bytes."""

    signature: bytes
    version: int
    sysname: bytes
    nodename: bytes
    release: bytes
    uts_version: bytes
    machine: bytes
    domainname: bytes
    seconds: int
    microseconds: int
    status: int
    block_size: int
    sub_hdr_size: int
    bitmap_blocks: int
    max_mapnr: int
    total_ram_blocks: int
    device_blocks: int
    written_blocks: int
    current_cpu: int
    nr_cpus: int

    @property
    def utsname(self) -> tuple[bytes, ...]:
        """The six names, each up to its NUL."""
        return tuple(field.split(b"\0", 1)[0] for field in self[2:8])


class KdumpSubHeader(NamedTuple):
    """`struct kdump_sub_header`, in block 1; fields that the version lacks are 0. Offsets count in the plain file."""

    phys_base: int = 0
    dump_level: int = 0
    split: int = 0
    start_pfn: int = 0
    end_pfn: int = 0
    offset_vmcoreinfo: int = 0
    size_vmcoreinfo: int = 0
    offset_note: int = 0
    size_note: int = 0
    offset_eraseinfo: int = 0
    size_eraseinfo: int = 0
    start_pfn_64: int = 0
    end_pfn_64: int = 0
    max_mapnr_64: int = 0


SINCE: Final = (0, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 6)
"""The header version that brought each field of the sub-header."""

_HEADER_NAMES: Final = (
    "signature",
    "header_version",
    *UTSNAME_FIELDS,
    "tv_sec",
    "tv_usec",
    *DiskDumpHeader._fields[10:],
)
_NAMES: Final = ("8s", "i", *("65s",) * 6)
_SIZES: Final = (*"IiiIIIIIIi",)
_HEADER: Final = {64: (*_NAMES, "6xQ", "Q", *_SIZES), 32: (*_NAMES, "2xI", "I", *_SIZES)}
_SUB: Final = {
    (64, False): (*"QiiQQQQQQQQQQQ",),
    (32, False): (*"IiiIIQIQIQIQQQ",),
    (32, True): ("I", "i", "i", "I", "I", "4xQ", "I", "4xQ", "I", "4xQ", "I", "4xQ", "Q", "Q"),
}


class KdumpFormat(NamedTuple):
    """One of the six layouts of the headers."""

    bits: Width
    order: ByteOrder
    padded: bool = False
    """For 32-bit files only: 8-byte numbers of the sub-header are aligned to 8."""

    @property
    def header(self) -> NamedStruct:
        """The header, which is at the start of the file."""
        return _record(self.order, _HEADER_NAMES, _HEADER[self.bits])

    @property
    def sub_header(self) -> NamedStruct:
        """The sub-header, which is one block into the file."""
        return _record(self.order, KdumpSubHeader._fields, _SUB[self.bits, self.padded])

    @property
    def page(self) -> NamedStruct:
        """A page descriptor: offset and number of the page's bytes, flags, page flags."""
        return _record(self.order, ("offset", "size", "flags", "page_flags"), ("Q", "I", "I", "Q"))

    def unpack_header(self, data: bytes) -> DiskDumpHeader:
        """Read the header from at least `header.size` bytes."""
        return DiskDumpHeader(*self.header.unpack_from(data))

    def unpack_sub_header(self, data: bytes, version: int) -> KdumpSubHeader:
        """Return the fields that `version` has, as far as `data` reaches; the others are 0."""
        values = self.sub_header.unpack_from(data.ljust(self.sub_header.size, b"\0"))
        return KdumpSubHeader(*(value if version >= since else 0 for value, since in zip(values, SINCE, strict=True)))

    def sub_header_length(self, version: int) -> int:
        """Return the length in bytes of the sub-header of a file of this version."""
        last = max(index for index, since in enumerate(SINCE) if since <= max(version, 0))
        field = self.sub_header.fields[last]
        return field.offset + field.length


_record = cache(NamedStruct.of)
_WIDE: Final = KdumpFormat(64, "little")
HEADER_SIZE: Final = _WIDE.header.size
"""Bytes of the header in its longest form."""
SUB_HEADER_SIZE: Final = _WIDE.sub_header.size
"""Bytes of the sub-header in its longest form."""
PAGE_DESCRIPTOR: Final = _WIDE.page.size
