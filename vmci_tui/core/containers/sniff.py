"""What a file looks like that is neither a dump nor an entry, and what to do with it."""

from __future__ import annotations

from vmci_tui.core.note import parse_raw

HEAD = 4096
"""Bytes of the file that are enough to tell."""

_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"DISKDUMP", "a diskdump file", "convert it with crash or makedumpfile"),
    (
        b"QEVM",
        "a QEMU migration stream (savevm, or virsh dump without --memory-only)",
        "dump again with `virsh dump --memory-only` or `dump-guest-memory`",
    ),
    (b"LibvirtQemudSave", "a `virsh save` image", "restore the guest and use `virsh dump --memory-only`"),
    (b"LibvirtQemudPart", "an unfinished `virsh save` image", "use `virsh dump --memory-only`"),
    (b"PAGEDU64", "a Windows crash dump", "it holds no VMCOREINFO; open the ELF dump it was made from"),
    (b"PAGEDUMP", "a 32-bit Windows crash dump", "it holds no VMCOREINFO; open the ELF dump it was made from"),
    (b"QFI\xfb", "a qcow2 disk image", "open a memory dump, not a disk"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "unpack it first: `zstd -d --long=27 FILE`"),
    (b"\x1f\x8b", "compressed by gzip", "unpack it first: `gunzip FILE`"),
    (b"\xfd7zXZ\0", "compressed by xz", "unpack it first: `unxz FILE`"),
    (b"BZh", "compressed by bzip2", "unpack it first: `bunzip2 FILE`"),
    (b"PK\x03\x04", "a zip archive", "unpack it first"),
    (b"OSRELEASE=", "the text of a note", "add it to a dump: `vmci append DUMP --text FILE -o OUT`"),
)


def looks_like(head: bytes) -> tuple[str, str] | None:
    """What these first bytes of a file are, and what to do; None where nothing is known of them."""
    for magic, what, hint in _MAGIC:
        if head.startswith(magic):
            return what, hint
    if parse_raw(head) is not None or head[12:22] == b"VMCOREINFO":
        return "a raw VMCOREINFO note", "add it to a dump: `vmci append DUMP --note FILE -o OUT`"
    return None
