"""Describe a file that is neither a dump that vmci reads nor an entry, and what to do with it."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from typing import Final, NamedTuple

from vmci_tui.formats.elf_note import parse_raw

HEAD: Final = 4096
"""Bytes of the file that are enough to recognise it."""
_RAW: Final = (
    "say where its memory is: `--map IOMEM` (the machine's /proc/iomem) if one file has all ranges without the holes; "
    "FILE@PADDR (hex) if it begins at that address and has the holes as zeros, as FILE@0"
)

_PAGE: Final = 4096
_RAW_LEAST: Final = 64 << 10
"""Bytes; a smaller file of whole pages is not reported as a raw image of memory."""
_AGAIN: Final = "dump again with `virsh dump --memory-only` or `dump-guest-memory`"
_NOT_A_DUMP: Final = "open a memory dump: `virsh dump --memory-only` and `dump-guest-memory` write one"
_NOT_A_DISK: Final = "open a memory dump, not a disk"
_WINDOWS: Final = "it has no VMCOREINFO; open the ELF dump that it was made from"
_VMEM: Final = "the memory is in the .vmem file beside it: NAME.vmem@0 opens it (below 3 GiB)"
_TEXT: Final = re.compile(r"[^\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]+")
"""Text without control characters, except blanks, line ends and escape."""


class _FileType(NamedTuple):
    magic: bytes
    what: str
    hint: str
    at: int = 0


# fmt: off
_FILE_TYPES: Final = (
    # Memory, in formats that other programs read.
    _FileType(b"DISKDUMP", "a diskdump file", "convert it with crash or makedumpfile"),
    _FileType(b"sadump\0\0", "a sadump file", "it has no VMCOREINFO; crash and makedumpfile read it directly"),
    *(_FileType(magic, "an LKCD dump", "it is older than VMCOREINFO; crash reads it directly")
      for magic in (b"\xed\x23\x8f\x61\x73\x01\x19\xa8", b"\xa8\x19\x01\x73\x61\x8f\x23\xed")),
    _FileType(b"\xa8\x19\x01\x73\x61\x8f\x23\xfd", "a stand-alone dump of s390",
              "`zgetdump -f elf FILE > OUT` makes an ELF dump of it"),
    *(_FileType(magic, "a saved VMware machine (vmss, vmsn)", _VMEM)
      for magic in (b"\xd0\xbe\xd0\xbe", b"\xd2\xbe\xd2\xbe", b"\xd3\xbe\xd3\xbe")),
    *(_FileType(magic, "an old Xen core", "it has no VMCOREINFO; crash reads it directly")
      for magic in (b"\xed\xeb\x0f\xf0", b"\xee\xeb\x0f\xf0")),
    *(_FileType(magic, "a saved Xen machine", "restore it and dump it with `xl dump-core`")
      for magic in (b"LinuxGuestRecord", b"XenSavedDomain")),
    _FileType(b"QEVM", "a QEMU migration stream that is cut off, or of another version than 3", _AGAIN),
    _FileType(b"\x7fVirtualBox SavedState", "a saved VirtualBox machine",
              "`VBoxManage debugvm NAME dumpvmcore` dumps it"),
    _FileType(b"PAGEDU64", "a Windows crash dump", _WINDOWS),
    _FileType(b"PAGEDUMP", "a 32-bit Windows crash dump", _WINDOWS),
    _FileType(b"MDMP", "a Windows minidump, of a process", _NOT_A_DUMP),
    *(_FileType(magic, "a Windows hibernation file", "it has no VMCOREINFO")
      for magic in (b"hibr", b"HIBR", b"wake", b"WAKE", b"RSTR")),
    *(_FileType(magic, "a hibernated Linux", "resume it and dump it", 4086)
      for magic in (b"S1SUSPEND", b"S2SUSPEND", b"LINHIB0001")),
    _FileType(b"SWAPSPACE2", "a swap area", _NOT_A_DUMP, 4086),
    *(_FileType(magic, "a Mach-O file", _NOT_A_DUMP)
      for magic in (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xfe\xed\xfa\xce")),
    # Disks, programs, captures.
    _FileType(b"KDMV", "a VMware disk image", _NOT_A_DISK),
    _FileType(b"vhdxfile", "a Hyper-V disk image", _NOT_A_DISK),
    _FileType(b"conectix", "a Hyper-V disk image", _NOT_A_DISK),
    _FileType(b"\x7f\x10\xda\xbe", "a VirtualBox disk image", _NOT_A_DISK, 64),
    _FileType(b"HdrS", "a Linux kernel image", "open a memory dump of the machine that ran it", 0x202),
    _FileType(b"MZ", "a Windows program, or a kernel that EFI starts", _NOT_A_DUMP),
    *(_FileType(magic, "a network capture (pcap)", _NOT_A_DUMP)
      for magic in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d",
                    b"\x0a\x0d\x0d\x0a")),
    # Compressed files and archives.
    _FileType(b"\x28\xb5\x2f\xfd", "compressed by zstd", "unpack it first: `zstd -d --long=27 FILE`"),
    _FileType(b"\x1f\x8b", "compressed by gzip", "unpack it first: `gunzip FILE`"),
    _FileType(b"\xfd7zXZ\0", "compressed by xz", "unpack it first: `unxz FILE`"),
    _FileType(b"\x5d\0\0", "compressed by lzma", "unpack it first: `unlzma FILE`"),
    _FileType(b"BZh", "compressed by bzip2", "unpack it first: `bunzip2 FILE`"),
    *(_FileType(magic, "compressed by lz4", "unpack it first: `lz4 -d FILE OUT`")
      for magic in (b"\x04\x22\x4d\x18", b"\x02\x21\x4c\x18")),
    _FileType(b"\x89LZO\0\r\n\x1a\n", "compressed by lzop", "unpack it first: `lzop -d FILE`"),
    _FileType(b"\xff\x06\0\0sNaPpY", "compressed by snappy", "unpack it first: `snzip -d FILE`"),
    _FileType(b"\x1f\x9d", "compressed by compress", "unpack it first: `gunzip FILE`"),
    _FileType(b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first: `7z x FILE`"),
    _FileType(b"Rar!", "a rar archive", "unpack it first: `unrar x FILE`"),
    _FileType(b"PK\x03\x04", "a zip archive", "unpack it first: `unzip FILE`"),
    _FileType(b"ustar", "a tar archive", "unpack it first: `tar xf FILE`", 257),
    _FileType(b"070701", "a cpio archive", "unpack it first: `cpio -i < FILE`"),
    _FileType(b"!<arch>\n", "an archive of object files", _NOT_A_DUMP),
    _FileType(b"OSRELEASE=", "the text of a note", "add it to a dump: `vmci append DUMP --text FILE -o OUT`"),
)
# fmt: on


def describe_known(head: bytes) -> tuple[str, str] | None:
    """Return the type of a file with these first bytes, and what to do; None if it is not recognised."""
    for kind in _FILE_TYPES:
        if head.startswith(kind.magic, kind.at):
            return kind.what, kind.hint
    if parse_raw(head) is not None or head[12:22] == b"VMCOREINFO":
        return "a raw VMCOREINFO note", "add it to a dump: `vmci append DUMP --note FILE -o OUT`"
    return None


def is_text(head: bytes) -> bool:
    """Return whether these first bytes of a file are UTF-8 text; its last character may be cut."""
    try:
        text = getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return _TEXT.fullmatch(text) is not None


def describe_text(head: bytes) -> tuple[str, str]:
    """Return the type of a text with these first bytes, and what to do."""
    if re.match(rb"\s*[\[{]", head):
        return "JSON text", "the guest's writes to the entry are read from a file named NAME.write.json"
    if re.match(rb"[0-9a-f]{8,16} [A-Za-z] [^\s]+\s", head):
        return "a System.map, or a copy of /proc/kallsyms", _NOT_A_DUMP
    if re.search(rb"^\s*[A-Z]+(\([\w.]+\))?=", head, re.MULTILINE):
        return "a text of key=value lines", "add it to a dump: `vmci append DUMP --text FILE -o OUT`"
    if re.match(rb"\s*(0x)?[0-9a-fA-F]{4,}:?\s+(0x)?[0-9a-fA-F]{2,16}\s", head):
        return "a hex dump as text, not of 16 bytes", "an entry has 16 bytes; `xxd -r FILE OUT` makes bytes of a dump"
    return "a text file", "open a dump, a blob, or NAME.write.json"


def describe_other(size: int) -> tuple[str, str]:
    """Return the probable type of an unrecognised file of `size` bytes, and what to do."""
    if size >= _RAW_LEAST and size % _PAGE == 0:
        return "not a dump with a header, perhaps a raw image of memory", _RAW
    return (
        "neither an ELF dump nor an entry of 16 bytes",
        f"open a file that `dump-guest-memory` or `virsh dump --memory-only` wrote; of a raw image of memory {_RAW}",
    )
