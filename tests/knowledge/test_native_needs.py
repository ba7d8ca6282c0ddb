"""Test the needs of native programs by machine and kernel, and the makedumpfile that a kernel needs."""

from __future__ import annotations

import pytest

from tests.kit import found
from tests.opened_files import open_document
from tests.paths import SAMPLES
from tests.proof import guests
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.knowledge.makedumpfile_releases import need_message, need_of
from vmci_tui.knowledge.native_needs import unmet


def _said(text: bytes, machine: str) -> list[tuple[str, str, int]]:
    return [(item.need.reader, item.need.says, len(item.lacking)) for item in unmet(Vmcoreinfo(text), machine)]


@pytest.mark.parametrize("name", sorted(guests.TRUTH))
def test_texts_of_kernels_lack_no_possible_key(name: str) -> None:
    text = guests.true_text(name)
    told = [(item.need.reader, *item.lacking) for item in unmet(text, guests.dump(name).machine)]
    # makedumpfile supports 52 bits with pages of 4 or 16 KiB only after 1.7.9.
    wide = ("makedumpfile up to 1.7.9", f"NUMBER(VA_BITS)=52 with PAGESIZE={text.page_size}")
    assert told == ([wide] if text.get(b"NUMBER(VA_BITS)") == b"52" else [])


def test_arm64_needs_one_of_two_keys() -> None:
    old = b"OSRELEASE=5.4.0+\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)=ffff800011a00000\nSYMBOL(_stext)=ffff800010080000\n"
    words = "cannot determine VA_BITS_ACTUAL"
    assert _said(old, "aarch64") == [("crash", words, 1)]
    assert _said(old + b"NUMBER(VA_BITS)=48\n", "aarch64") == [("crash before 8.0.1", words, 1)]
    assert _said(old + b"NUMBER(TCR_EL1_T1SZ)=0x10\n", "aarch64") == []
    assert _said(old.replace(b"5.4", b"5.3"), "aarch64") == [], "no vabits_actual yet"


def test_riscv64_needs_the_layout_of_its_memory() -> None:
    """Kernels before 6.2 write no such key."""
    text = b"OSRELEASE=6.6.0\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)=ffffffff81400000\n"
    assert _said(text, "riscv64") == [
        ("crash", "cannot get vm layout", 8),
        ("crash", "cannot read phys_ram_base", 1),
        ("crash", "cannot read va_kernel_pa_offset", 1),
        ("makedumpfile", "", 10),
    ]
    assert [count for _, _, count in _said(text.replace(b"6.6", b"5.10"), "riscv64")] == [6, 10]
    assert _said(text, "x86_64") == [], "its programs are asked themselves"


@pytest.mark.parametrize(
    ("release", "wanted"),
    [
        (b"5.10.0-9-amd64", None), (b"6.1.0-56-amd64", None), (b"6.2.0", "1.7.3 or later"), (b"6.5.1", "1.7.3"),
        (b"6.6.0", "1.7.4"), (b"6.8.12", "1.7.4"), (b"6.9.0", "1.7.6"), (b"6.10.3", "1.7.6"),
        (b"6.12.9+deb13", "1.7.7"), (b"6.16.0", "1.7.8"), (b"7.0.0", "1.7.8"), (b"7.1.0", "later than 1.7.9"),
        (b"7.2.0-rc6", "later than 1.7.9"),
        (b"10.0", "later"), (b"", None), (b"six", None), (b"6", None),
    ],
)  # fmt: skip
def test_which_makedumpfile_a_kernel_needs(release: bytes, wanted: str | None) -> None:
    need = need_of(release)
    assert (need is None) == (wanted is None)
    assert need is None or wanted is None or wanted in need_message(need, release)


def test_check_reports_both() -> None:
    findings = found(open_document(str(SAMPLES / "arm64-cut-note.elf")))
    assert "T25" not in findings and "T24" not in findings
