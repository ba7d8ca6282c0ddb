"""Test which instructions are calls, by encodings as GNU as makes them."""

from __future__ import annotations

import pytest

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.backtrace.calls import LONGEST, follows_call

_CALLS = [
    ("x86_64", "e8 11 22 33 44", "little"), ("x86_64", "ff d0", "little"), ("x86_64", "41 ff d3", "little"),
    ("x86_64", "ff 15 11 22 33 44", "little"), ("x86_64", "ff 50 18", "little"), ("x86_64", "ff 54 24 08", "little"),
    ("x86_64", "ff 14 c5 11 22 33 44", "little"), ("x86_64", "ff 93 11 22 33 44", "little"),
    ("i386", "e8 11 22 33 44", "little"), ("i386", "ff d2", "little"),
    ("aarch64", "10 00 00 94", "little"), ("aarch64", "20 00 3f d6", "little"), ("aarch64", "3f 09 3f d6", "little"),
    ("arm", "10 00 00 eb", "little"), ("arm", "33 ff 2f e1", "little"), ("arm", "10 00 00 fa", "little"),
    ("s390x", "c0 e5 00 00 12 34", "big"), ("s390x", "a7 e5 12 34", "big"), ("s390x", "0d e1", "big"),
    ("ppc64", "11 00 00 48", "little"), ("ppc64", "48 00 00 11", "big"), ("ppc64", "21 04 80 4e", "little"),
    ("riscv64", "ef 00 00 01", "little"), ("riscv64", "e7 80 07 00", "little"), ("riscv64", "82 97", "little"),
]  # fmt: skip
_OTHERS = [
    ("x86_64", "e9 11 22 33 44", "little"), ("x86_64", "ff e0", "little"), ("x86_64", "48 89 e5", "little"),
    ("x86_64", "ff 30", "little"), ("aarch64", "10 00 00 14", "little"), ("aarch64", "20 00 1f d6", "little"),
    ("aarch64", "c0 03 5f d6", "little"), ("arm", "10 00 00 ea", "little"), ("arm", "1e ff 2f e1", "little"),
    ("s390x", "c0 e4 00 00 12 34", "big"), ("s390x", "07 fe", "big"), ("ppc64", "10 00 00 48", "little"),
    ("ppc64", "20 00 80 4e", "little"), ("riscv64", "6f 00 00 01", "little"), ("riscv64", "82 80", "little"),
    ("alpha", "e8 11 22 33 44", "little"),
]  # fmt: skip


@pytest.mark.parametrize(("machine", "code", "order"), _CALLS)
def test_a_call_is_known(machine: str, code: str, order: ByteOrder) -> None:
    assert follows_call(machine, bytes.fromhex(code).rjust(LONGEST, b"\x01"), order)


@pytest.mark.parametrize(("machine", "code", "order"), _OTHERS)
def test_other_instructions_are_not_calls(machine: str, code: str, order: ByteOrder) -> None:
    assert not follows_call(machine, bytes.fromhex(code).rjust(LONGEST, b"\x01"), order)


def test_a_part_of_an_instruction_is_not_a_call() -> None:
    assert not follows_call("x86_64", b"\xff\xd0", "little")
