"""The width and the machine that a vmcoreinfo text was written for.

The note header does not show them: Elf32_Nhdr and Elf64_Nhdr are the same bytes. So each line
that only a 32-bit or only a 64-bit kernel writes (include/linux/vmcore_info.h and
arch/*/kernel/vmcore_info*.c) is one vote, proof or weak.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from vmci_tui.formats.vmcoreinfo import Line, Vmcoreinfo


class Vote(NamedTuple):
    """What one line shows of the kernel that wrote it; `bits` or `machine` may be None."""

    line: int
    bits: int | None
    machine: str | None
    weight: Literal["proof", "weak"]
    why: str


_BY_VALUE: dict[tuple[bytes, bytes], int] = {
    (b"SIZE(list_head)", b"16"): 64,
    (b"SIZE(list_head)", b"8"): 32,
    (b"OFFSET(list_head.prev)", b"8"): 64,
    (b"OFFSET(list_head.prev)", b"4"): 32,
    (b"SIZE(atomic_long_t)", b"8"): 64,
    (b"SIZE(atomic_long_t)", b"4"): 32,
    (b"SIZE(prb_data_blk_lpos)", b"16"): 64,
    (b"SIZE(prb_data_blk_lpos)", b"8"): 32,
}

_BY_KEY: dict[bytes, tuple[int, str | None]] = {
    b"NUMBER(VA_BITS)": (64, None),  # arm64 and riscv64
    b"SYMBOL(init_top_pgt)": (64, "x86_64"),
    b"SYMBOL(phys_base)": (64, "x86_64"),
    b"NUMBER(phys_base)": (64, "x86_64"),
    b"NUMBER(pgtable_l5_enabled)": (64, "x86_64"),
    b"NUMBER(sme_mask)": (64, "x86_64"),
    b"NUMBER(KERNEL_IMAGE_SIZE)": (64, "x86_64"),
    b"CONFIG_X86_PAE": (32, "i386"),
    b"NUMBER(kimage_voffset)": (64, "aarch64"),
    b"NUMBER(TCR_EL1_T1SZ)": (64, "aarch64"),
    b"NUMBER(PHYS_OFFSET)": (64, "aarch64"),
    b"CONFIG_ARM_LPAE": (32, "arm"),
    b"NUMBER(KERNEL_LINK_ADDR)": (64, "riscv64"),
    b"NUMBER(va_kernel_pa_offset)": (64, "riscv64"),
    b"NUMBER(phys_ram_base)": (64, "riscv64"),
    b"SYMBOL(lowcore_ptr)": (64, "s390x"),
    b"SAMODE31": (64, "s390x"),
    b"IDENTITYBASE": (64, "s390x"),
    b"NUMBER(RADIX_MMU)": (64, "ppc64"),
    b"SYMBOL(mmu_psize_defs)": (64, "ppc64"),
}

_LONG_SYMBOL = re.compile(rb"[0-9a-f]{9,16}\Z")
_SHORT_SYMBOL = re.compile(rb"[0-9a-f]{1,8}\Z")


@lru_cache(maxsize=4)
def votes(text: Vmcoreinfo) -> tuple[Vote, ...]:
    """Return every vote of the text, in line order; of long symbols only the first is a vote."""
    out: list[Vote] = []
    long_seen = False
    short: Line | None = None
    for line in text.lines:
        key, value = line.key, line.value
        if key is None or value is None:
            continue
        if key in _BY_KEY:
            bits, machine = _BY_KEY[key]
            out.append(Vote(line.number, bits, machine, "proof", f"only {machine or '64-bit'} kernels write it"))
        elif (bits_by_value := _BY_VALUE.get((key, value))) is not None:
            out.append(Vote(line.number, bits_by_value, None, "proof", f"its size in a {bits_by_value}-bit kernel"))
        elif key.startswith(b"SYMBOL("):
            if _LONG_SYMBOL.match(value) and not long_seen:
                long_seen = True
                out.append(Vote(line.number, 64, None, "proof", "an address of more than 32 bits"))
            elif _SHORT_SYMBOL.match(value) and short is None:
                short = line
    if short is not None and not long_seen:
        out.append(Vote(short.number, 32, None, "weak", "no address has more than 32 bits (nor on s390x)"))
    return tuple(out)


def judge_bits(
    text: Vmcoreinfo, target: int
) -> tuple[Literal["fits", "error", "warning", "unknown"], tuple[Vote, ...]]:
    """Return whether the text was written for a `target`-bit kernel, and the votes for the answer.

    `error`: only proof of the other width; `warning`: proof of both, or only weak votes
    for the other; `unknown`: no vote.
    """
    cast = votes(text)
    proof = {vote.bits for vote in cast if vote.weight == "proof"}
    weak = {vote.bits for vote in cast if vote.weight == "weak"}
    against = tuple(vote for vote in cast if vote.bits != target)
    if proof == {target}:
        return "fits", tuple(vote for vote in cast if vote.bits == target)
    if proof:
        return ("warning" if target in proof else "error"), against
    if weak:
        return ("fits", cast) if weak == {target} else ("warning", against)
    return "unknown", ()


def machine_of(text: Vmcoreinfo) -> tuple[str, Vote] | None:
    """Return the machine that the text was written for; None unless all votes agree on one."""
    named = [(vote.machine, vote) for vote in votes(text) if vote.machine]
    if named and len({name for name, _ in named}) == 1 and named[0][0]:
        return named[0][0], named[0][1]
    return None
