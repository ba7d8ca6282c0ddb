"""The utsname of a kernel (include/uapi/linux/utsname.h): six fields of 65 bytes, each ended by a NUL."""

from __future__ import annotations

from typing import Final, NamedTuple

_FIELD: Final = 65
LENGTH: Final = 6 * _FIELD
MAGIC: Final = b"Linux\0"
_PRINTABLE: Final = frozenset(range(0x20, 0x7F))


class Uts(NamedTuple):
    release: bytes
    version: bytes
    machine: bytes
    nodename: bytes
    domainname: bytes


def uts_of(raw: bytes) -> Uts | None:
    """Decode 390 bytes if they are the utsname of a kernel that runs, else return None.

    A kernel image has a second utsname that is never used: its version has no number after the `#`
    (init/version.c, before version-timestamp.c replaces it).
    """
    if not raw.startswith(MAGIC) or len(raw) < LENGTH:
        return None
    fields = []
    for at in range(0, LENGTH, _FIELD):
        value, end, _ = raw[at : at + _FIELD].partition(b"\0")
        if not end or not set(value) <= _PRINTABLE:
            return None
        fields.append(value)
    _, nodename, release, version, machine, domainname = fields
    if not release or not machine or not version.startswith(b"#") or version.startswith(b"# "):
        return None
    return Uts(release, version, machine, nodename, domainname)
