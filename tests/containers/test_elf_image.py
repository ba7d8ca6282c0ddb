"""Test the program headers of an x86-64 kernel's image, which locate a kernel before 4.10."""

from __future__ import annotations

from tests.data_files import fault
from tests.kit import elf_of


def test_a_header_at_the_kernels_address_is_part_of_its_image() -> None:
    dump = elf_of(fault("461-vaddr-lies.elf"))
    assert [hex(s.vaddr) for s in dump.kernel_image] == ["0xffffffffb37fb000"]


def test_dumps_of_qemu_and_of_other_machines_have_no_image() -> None:
    assert elf_of(fault("32-vmcoredd.elf")).kernel_image == ()
    assert elf_of(fault("kcore-arm64.elf")).kernel_image == ()
