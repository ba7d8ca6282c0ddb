"""All machines, one row each, by the name that QEMU and the kernel use.

This is Python, not TOML: every command names the machine, and to read TOML would cost `vmci show` 6 of its 90 ms.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.machines.facts import BIG, BOTH, LITTLE, Crash, Drgn, Libkdumpfile, MachineFacts, Qemu

# fmt: off
_ROWS: Final = (
    MachineFacts("x86_64", 62, 64, orders=LITTLE, page_sizes=(4096,), uname=b"x86_64", prstatus=336,
        other_width="i386", windows=0x8664, drgn=Drgn("x86_64"), eu_readelf=True,
        libkdumpfile=Libkdumpfile("x86_64", (b"x86_64",), 4096, prstatus=328, of_drgn=True),
        qemu=Qemu((b"QEMU\0", 0), phys_key=b"NUMBER(phys_base)")),
    MachineFacts("i386", 3, 32, orders=LITTLE, page_sizes=(4096,), uname=b"i686", uname_like=b"i[3-6]86", prstatus=144,
        other_width="x86_64", windows=0x14C, crash=Crash(b"i686"), drgn=Drgn("i386", by_vaddr=True),
        eu_readelf=True, qemu=Qemu((b"QEMU\0", 0)),
        libkdumpfile=Libkdumpfile("ia32", (b"i386", b"i586", b"i686"), 4096, prstatus=140, of_drgn=True)),
    MachineFacts("aarch64", 183, 64, orders=BOTH, page_sizes=(4096, 16384, 65536), uname=b"aarch64",
        uname_like=b"aarch64(_be)?", prstatus=392, other_width="arm", windows=0xAA64, crash=Crash(b"aarch64"),
        drgn=Drgn("aarch64"), eu_readelf=True,
        libkdumpfile=Libkdumpfile("aarch64", (b"arm64", b"aarch64"), prstatus=384, of_drgn=True),
        qemu=Qemu((b"CORE\0", 2), phys_key=b"NUMBER(PHYS_OFFSET)", ram_base=0x40000000)),
    MachineFacts("arm", 40, 32, orders=BOTH, page_sizes=(4096,), uname=b"armv7l", uname_like=b"armv[4-9].*",
        prstatus=148, other_width="aarch64", windows=0x1C4, crash=Crash(b"arm"),
        drgn=Drgn("arm", by_vaddr=True), eu_readelf=True, qemu=Qemu((b"LINUX\0", 0x400), ram_base=0x40000000),
        libkdumpfile=Libkdumpfile("arm", page_size=4096, prstatus=144, of_drgn=True)),
    MachineFacts("s390x", 22, 64, by_class=True, orders=BIG, page_sizes=(4096,), uname=b"s390x", prstatus=336,
        low_addresses=True, crash=Crash(b"s390x"), drgn=Drgn("s390x"), eu_readelf=True,
        libkdumpfile=Libkdumpfile("s390x", (b"s390x",), 4096, prstatus=332, of_drgn=True)),
    MachineFacts("riscv64", 243, 64, by_class=True, orders=LITTLE, page_sizes=(4096,), uname=b"riscv64", prstatus=376,
        crash=Crash(b"riscv64", (8, 0, 3)), drgn=Drgn("riscv64"), eu_readelf=True,
        libkdumpfile=Libkdumpfile("riscv64", (b"riscv64",), 4096, prstatus=376, of_drgn=True)),
    MachineFacts("ppc64", 21, 64, orders=BOTH, page_sizes=(4096, 65536), uname=b"ppc64le", uname_like=b"ppc64(le)?",
        prstatus=504, linear_bits=60, crash=Crash(b"ppc64"), drgn=Drgn("ppc64", by_vaddr=True),
        eu_readelf=True, qemu=Qemu((b"CORE\0", 2)),
        libkdumpfile=Libkdumpfile("ppc64", (b"ppc64", b"ppc64le"), prstatus=500, of_drgn=True)),
    MachineFacts("loongarch64", 258, 64, by_class=True, orders=LITTLE, page_sizes=(4096, 16384, 65536),
        uname=b"loongarch64", linear_bits=48, crash=Crash(b"loongarch64", (8, 0, 5)),
        drgn=Drgn("loongarch64", by_vaddr=True), eu_readelf=True, qemu=Qemu((b"CORE\0", 2))),
    # Of these no more is known than what a file or a program calls them.
    MachineFacts("alpha", 0x9026, 64, eu_readelf=True, libkdumpfile=Libkdumpfile("alpha", (b"alpha",), 8192)),
    MachineFacts("em_41", 41, libkdumpfile=Libkdumpfile("alpha", page_size=8192)),  # EM_FAKE_ALPHA
    MachineFacts("ia64", 50, 64, crash=Crash(b"ia64"), libkdumpfile=Libkdumpfile("ia64", (b"ia64",))),
    MachineFacts("loongarch32", 258, 32, by_class=True, eu_readelf=True),
    MachineFacts("mips", 8, 32, by_class=True, uname_like=b"mips", crash=Crash(b"mips\0"), eu_readelf=True,
        libkdumpfile=Libkdumpfile("mips", (b"mips",), 4096)),
    MachineFacts("mips64", 8, 64, by_class=True, uname_like=b"mips64", crash=Crash(b"mips64"),
        eu_readelf=True, libkdumpfile=Libkdumpfile("mips", page_size=4096)),
    MachineFacts("parisc", 15),
    MachineFacts("ppc", 20, 32, uname_like=b"ppc", crash=Crash(b"ppc\0"), eu_readelf=True,
        libkdumpfile=Libkdumpfile("ppc", (b"ppc",))),
    MachineFacts("riscv32", 243, 32, by_class=True, eu_readelf=True,
        libkdumpfile=Libkdumpfile("riscv32", (b"riscv32",), 4096, of_drgn=True)),
    MachineFacts("s390", 22, 32, by_class=True, eu_readelf=True,
        libkdumpfile=Libkdumpfile("s390", (b"s390",), 4096, of_drgn=True)),
    MachineFacts("sh", 42, 32, eu_readelf=True),
    MachineFacts("sparc", 2, eu_readelf=True),
    MachineFacts("sparc32plus", 18, eu_readelf=True),
    MachineFacts("sparc64", 43, 64, eu_readelf=True),
    MachineFacts("xtensa", 94),
    *(MachineFacts(f"em_{number}", number, eu_readelf=True) for number in (4, 53, 69, 70, 71, 72, 252)),  # 68k, C-SKY
)
# fmt: on
MACHINES: Final = {row.name: row for row in _ROWS}
