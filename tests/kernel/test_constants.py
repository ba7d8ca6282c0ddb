"""Test the lines that all kernels of a version have alike, against the notes of booted guests, 32 and 64 bits."""

from __future__ import annotations

import lzma
from dataclasses import replace

import pytest

from tests.kernel.test_lines import kernel_with, types_of_the_test
from tests.paths import DATA
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.lines.prove_lines import facts_of

_NOTES = lzma.decompress((DATA / "notes" / "debian.txt.xz").read_bytes()).split(b"\n\n")
_WIDTH_32 = (b"armmp", b"686")
_LEAST = 16
"""Lines of each note that are known: of arm 5.10; the largest are 37 of ppc64el 6.1."""


def _kernel(release: bytes) -> RunningKernel:
    """Return a kernel without types and without symbols of variables."""
    narrow = any(word in release for word in _WIDTH_32)
    machine = "i386" if b"686" in release else "arm" if narrow else "x86_64"
    return replace(kernel_with(machine, None, {}, release), pointer_size=4 if narrow else 8)


@pytest.mark.parametrize("raw", _NOTES, ids=lambda raw: raw[10:].partition(b"\n")[0].decode())
def test_the_constants_of_a_version_are_what_its_kernels_wrote(raw: bytes) -> None:
    note = Vmcoreinfo(raw)
    facts = facts_of(_kernel(note.osrelease or b""), note)
    lines = facts.lines(note)
    constant = [line for line in lines if line.by == "a constant of Linux of this version"]
    assert len(constant) >= _LEAST and {line.verdict for line in constant} == {"confirmed"}
    for line in constant:
        (false,) = facts.lines(Vmcoreinfo(b"%s=%s1\n" % (line.key, line.value)))
        assert (false.verdict, false.found) == ("contradicted", line.value)


def test_flags_of_versions_that_distributions_change_are_not_known() -> None:
    text = Vmcoreinfo(b"NUMBER(PG_lru)=4\nOFFSET(page.lru)=8\n")
    for release, known in ((b"5.14.0-570.el9", {1}), (b"6.8.0-31", {1}), (b"7.3.0", set()), (b"4.19.0", set())):
        lines = facts_of(_kernel(release), text).lines(text)
        assert {number for number, line in enumerate(lines) if line.verdict == "confirmed"} == known


@pytest.mark.parametrize(
    ("machine", "release", "flag", "member"),
    [
        ("arm", b"5.10.0-7-armmp-lpae", "contradicted", "unknown"),
        ("arm", b"6.6.0", "unknown", "contradicted"),
        ("i386", b"5.10.0-7-686-pae", "contradicted", "contradicted"),
    ],
)
def test_what_a_stable_update_or_a_version_between_changed_is_not_known(
    machine: str, release: bytes, flag: str, member: str
) -> None:
    text = Vmcoreinfo(b"NUMBER(PG_swapcache)=12\nOFFSET(page.lru)=8\nOFFSET(page.flags)=0\n")
    kernel = replace(kernel_with(machine, None, {}, release), pointer_size=4)
    assert [line.verdict for line in facts_of(kernel, text).lines(text)] == [flag, member, "confirmed"]


def test_a_kernel_with_types_is_asked_itself() -> None:
    text = Vmcoreinfo(b"OFFSET(page.lru)=8\n")
    (line,) = facts_of(kernel_with(types=types_of_the_test()), text).lines(text)
    assert line.verdict == "unknown"
