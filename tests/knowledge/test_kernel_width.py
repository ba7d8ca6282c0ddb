"""Test the table of class mismatches: width, byte order, machine and source of the text."""

from __future__ import annotations

import itertools

import pytest

from tests.dumps import factory
from tests.dumps.factory import AARCH64, ARM, I386, PPC64, S390, X86_64, cpus, elf, note
from tests.dumps.records import Bits, Order
from tests.kit import found, opened
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.knowledge.kernel_width import judge_bits, machine_of, votes

_64 = b"OSRELEASE=6.1.0\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=ffffffff827fb000\nSIZE(list_head)=16\n"
_32 = b"OSRELEASE=6.1.0\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=c17fb000\nSIZE(list_head)=8\n"
_TEXTS = {
    "64": _64,
    "32": _32,
    "32 only by its short symbols": b"OSRELEASE=6.1.0\nSYMBOL(init_uts_ns)=c17fb000\n",
    "64 with low symbols": b"OSRELEASE=6.1.0\nSYMBOL(init_uts_ns)=ef4000\nSIZE(list_head)=16\n",
    "both": _64 + b"OFFSET(list_head.prev)=4\n",
    "none": b"OSRELEASE=6.1.0\nPAGESIZE=4096\n",
}
# The expected verdicts over the text, for a 64-bit guest and for a 32-bit one.
_VERDICTS = {
    "64": ("fits", "error"),
    "32": ("error", "fits"),
    "32 only by its short symbols": ("warning", "fits"),
    "64 with low symbols": ("fits", "error"),
    "both": ("warning", "warning"),
    "none": ("unknown", "unknown"),
}
# (class of the file, e_machine) and the width of the guest.
_TARGETS = [
    (64, X86_64, 64), (64, AARCH64, 64), (64, S390, 64), (64, PPC64, 64), (64, 243, 64), (64, 0xFEED, 64),
    (32, I386, 32), (32, ARM, 32), (32, 243, 32), (32, S390, 32), (32, 0xFEED, 32),
    (64, I386, 32),  # QEMU writes ELF64 for an i386 guest whose ROM or memory reaches 4 GiB
    (64, ARM, 32),
    (32, X86_64, 64),  # no dump of this machine fits in a 32-bit file: C01 says so too
]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "order", "text"), itertools.product(_TARGETS, ("little", "big"), _TEXTS), ids=lambda v: str(v)
)
def test_every_class_byte_order_and_text(target: tuple[Bits, int, int], order: Order, text: str) -> None:
    bits, machine, guest = target
    document = opened(
        elf((cpus(order=order) + note(_TEXTS[text], order=order),), bits=bits, order=order, machine=machine)
    )
    verdict = _VERDICTS[text][guest == 32]
    findings = found(document)
    said = findings["N10"].severity if "N10" in findings else "unknown" if "N14" in findings else "fits"
    assert said == verdict
    assert ("C01" in findings) == (bits != guest)
    if "C01" in findings:
        assert findings["C01"].severity == ("info" if guest == 32 else "error")
    if verdict in ("error", "warning"):
        # Each vote is shown, and the span is the first line that votes against.
        span = findings["N10"].span
        against = judge_bits(Vmcoreinfo(_TEXTS[text]), guest)[1]
        assert all(vote.why in findings["N10"].why for vote in against)
        assert span is not None
        line = Vmcoreinfo(_TEXTS[text]).lines[against[0].line - 1]
        assert document.read(span.offset, span.length) == line.body


@pytest.mark.parametrize(
    ("line", "bits", "machine"),
    [
        (b"SIZE(list_head)=16", 64, None), (b"SIZE(list_head)=8", 32, None), (b"OFFSET(list_head.prev)=8", 64, None),
        (b"OFFSET(list_head.prev)=4", 32, None), (b"SIZE(atomic_long_t)=8", 64, None),
        (b"SIZE(atomic_long_t)=4", 32, None), (b"SIZE(prb_data_blk_lpos)=16", 64, None),
        (b"NUMBER(phys_base)=0", 64, "x86_64"), (b"NUMBER(pgtable_l5_enabled)=0", 64, "x86_64"),
        (b"SYMBOL(init_top_pgt)=ffffffff82610000", 64, "x86_64"), (b"CONFIG_X86_PAE=y", 32, "i386"),
        (b"CONFIG_ARM_LPAE=y", 32, "arm"), (b"NUMBER(kimage_voffset)=0xffff800000000000", 64, "aarch64"),
        (b"NUMBER(VA_BITS)=48", 64, None), (b"NUMBER(va_kernel_pa_offset)=0xf", 64, "riscv64"),
        (b"SAMODE31=0", 64, "s390x"),
        (b"NUMBER(RADIX_MMU)=1", 64, "ppc64"), (b"SYMBOL(x)=ffffffff827fb000", 64, None),
    ],
)  # fmt: skip
def test_each_proof_votes(line: bytes, bits: int, machine: str | None) -> None:
    text = Vmcoreinfo(b"OSRELEASE=6\n" + line + b"\n")
    (vote,) = votes(text)
    assert (vote.line, vote.bits, vote.machine, vote.weight) == (2, bits, machine, "proof")
    named = machine_of(text)
    assert (named[0] if named else None) == machine


def test_a_text_of_another_machine_is_reported_with_its_line() -> None:
    arm = _64 + b"NUMBER(kimage_voffset)=0xffff800000000000\n"
    document = opened(elf((cpus() + note(arm),), machine=X86_64))
    finding = found(document)["N11"]
    assert finding.severity == "error" and "aarch64" in finding.message and "x86_64" in finding.message
    assert finding.span is not None
    assert document.read(*finding.span[:2]).startswith(b"NUMBER(kimage_voffset)=")
    assert "N11" not in found(opened(elf((cpus() + note(arm),), machine=AARCH64)))


@pytest.mark.parametrize("wide", [False, True])
def test_the_machine_is_not_the_class(wide: bool) -> None:
    """A pae text in a dump of EM_386 fits, whether the file is ELF32 or ELF64."""
    document = opened(elf((cpus() + note(factory.TEXT_32),), bits=64 if wide else 32, machine=I386))
    assert not {"N10", "N11", "N14"} & set(found(document))
