"""The program headers of an x86-64 kernel's image, which tell where a kernel before 4.10 lies."""

from __future__ import annotations

from tests.data_files import fault
from tests.kit import elf_of


def test_a_header_at_the_images_address_is_one_of_it() -> None:
    dump = elf_of(fault("461-vaddr-lies.elf"))
    assert [hex(s.vaddr) for s in dump.kernel_image] == ["0xffffffffb37fb000"]


def test_a_dump_of_qemus_and_of_another_machine_has_none() -> None:
    assert elf_of(fault("32-vmcoredd.elf")).kernel_image == ()
    assert elf_of(fault("kcore-arm64.elf")).kernel_image == ()
