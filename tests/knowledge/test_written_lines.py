"""Test the order of the lines that Linux writes, against notes that Debian's kernels wrote in guests.

The notes are of Linux 5.10, 6.1, 6.12 and 7.2 on seven machines, one after the other with an empty line between.
"""

from __future__ import annotations

import lzma

import pytest

from tests.paths import DATA
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.knowledge.glossary import explain, known_keys
from vmci_tui.knowledge.written_lines import FIRST, LAST, written_lines

_NOTES = lzma.decompress((DATA / "notes" / "debian.txt.xz").read_bytes()).split(b"\n\n")
_MACHINES = {
    b"amd64": "x86_64", b"686": "i386", b"arm64": "aarch64", b"armmp": "arm", b"riscv64": "riscv64",
    b"s390x": "s390x", b"powerpc64le": "ppc64",
}  # fmt: skip
_OLDER = b"NUMBER(VMALLOC_START)"
"""A line of two machines that all have since 6.9."""


@pytest.mark.parametrize("text", _NOTES, ids=lambda text: text.partition(b"\n")[0].decode())
def test_a_kernel_writes_the_lines_that_are_known_of_its_version_in_this_order(text: bytes) -> None:
    note = Vmcoreinfo(text)
    release = note.osrelease or b""
    machine = next(name for word, name in _MACHINES.items() if word in release)
    major, minor = (int(part) for part in release.split(b".")[:2])
    keys = [line.key for line in note.lines if line.key is not None]
    order = [line.key for line in written_lines(machine, (major, minor))]
    assert [key for key in order if key in set(keys)] == keys


@pytest.mark.parametrize("machine", _MACHINES.values())
def test_each_version_has_lines_that_the_glossary_knows_once(machine: str) -> None:
    for version in (FIRST, (5, 19), (6, 1), (6, 12), LAST):
        keys = [line.key for line in written_lines(machine, version)]
        assert len(keys) > 80 and len(set(keys)) == len(keys) and set(keys) <= {*known_keys(), b"NUMBER(satp)"}
        for key in keys:
            known = explain(key)
            assert known is not None and (not known.machines or machine in known.machines or key == _OLDER)


def test_other_versions_and_machines_have_none() -> None:
    assert not written_lines("x86_64", (5, 9)) and not written_lines("x86_64", (LAST[0], LAST[1] + 1))
    assert not written_lines("mips", (6, 1))
