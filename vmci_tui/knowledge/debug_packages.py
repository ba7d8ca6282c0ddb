"""Where to get the vmlinux with debug info of a kernel, by the name of its release."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo

_RELEASE: Final = re.compile(rb"[0-9][A-Za-z0-9.+~_-]{0,127}")
"""Characters that are safe in a path and a command; anything else is not a release."""
_VERSION: Final = re.compile(rb"([0-9]{1,4})\.([0-9]{1,4})(?![0-9])")
_NO_BUILD_ID: Final = {(5, 15): (168, None), (6, 1): (113, 118), (6, 6): (55, 62), (6, 10): (14, None), (6, 11): (3, 9)}
"""Stable kernels whose BUILD-ID is garbage, as (first, last) patch release (drgn, libdrgn, commit 7781e49)."""
_PATCH: Final = re.compile(rb"([0-9]{1,5})\.([0-9]{1,5})\.([0-9]{1,5})")
_BUILD_ID: Final = re.compile(rb"[0-9a-fA-F]{40}")
"""Linux writes 20 bytes (kernel/vmcore_info.c)."""
PLACEHOLDER: Final = Safe("VMLINUX")
"""Stands for the vmlinux in a command if its path is not known."""
_DEBIAN: Final = r"-(amd64|686|686-pae|arm64|arm64-16k|armmp|armmp-lpae|s390x|powerpc64le|riscv64|loong64)$"
_UBUNTU: Final = r"-(generic|lowlatency|aws|azure|gcp|ibm|kvm|oracle|raspi|nvidia)(-64k|-lpae|-fde)?$"
_PACKAGES: Final = (
    (re.compile(_DEBIAN), "linux-image-{}-dbg (Debian)", "/usr/lib/debug/boot/vmlinux-{}"),
    (re.compile(_UBUNTU), "linux-image-{}-dbgsym (Ubuntu, ddebs.ubuntu.com)", "/usr/lib/debug/boot/vmlinux-{}"),
    (re.compile(r"\.el[0-9]+uek\."), "kernel-uek-debuginfo-{} (Oracle Linux)", "/usr/lib/debug/lib/modules/{}/vmlinux"),
    (re.compile(r"\.(amzn[0-9]|azl[0-9]|cm[0-9])"), "kernel-debuginfo-{} (Amazon Linux, Azure Linux)", PLACEHOLDER),
    (re.compile(r"\.(el[0-9]|fc[0-9])"), "kernel-debuginfo-{} (Fedora, RHEL)", "/usr/lib/debug/lib/modules/{}/vmlinux"),
    (re.compile(r"-default$"), "kernel-default-debuginfo of {} (SUSE)", PLACEHOLDER),  # its path changed over time
)


class Vmlinux(NamedTuple):
    """The kernel image that debuggers need with a dump."""

    path: Safe
    """The path in the package, or VMLINUX."""
    source: Safe
    """A text that says where to get it."""


def version_of(osrelease: bytes) -> tuple[int, int] | None:
    """Return the major and minor number of a release; None if it does not begin with them."""
    found = _VERSION.match(osrelease)
    return (int(found[1]), int(found[2])) if found else None


def vmlinux_of(text: Vmcoreinfo) -> Vmlinux:
    """Return where to get the vmlinux for a note's OSRELEASE."""
    raw = text.osrelease or b""
    if not _RELEASE.fullmatch(raw):
        return Vmlinux(PLACEHOLDER, Safe("the vmlinux with debug info of the guest's kernel"))
    release = visible(raw)
    for pattern, package, path in _PACKAGES:
        if pattern.search(release):
            return Vmlinux(Safe(path.format(release)), Safe(f"package {package.format(release)}"))
    return Vmlinux(PLACEHOLDER, Safe(f"the vmlinux with debug info of {release}"))


def build_id(text: Vmcoreinfo) -> Safe | None:
    """Return BUILD-ID as a debuginfod server expects it; None if malformed. T18 says if it cannot be trusted."""
    raw = text.get(b"BUILD-ID") or b""
    return visible(raw.lower()) if _BUILD_ID.fullmatch(raw) else None


def garbage_build_id(osrelease: bytes) -> str | None:
    """Return the kernel series of a release that writes a garbage BUILD-ID; None if its BUILD-ID can be trusted."""
    release = _PATCH.match(osrelease)
    if release is None:
        return None
    major, minor, patch = map(int, release.groups())
    first, last = _NO_BUILD_ID.get((major, minor), (1, 0))
    return f"{major}.{minor}.{patch}" if patch >= first and (last is None or patch <= last) else None
