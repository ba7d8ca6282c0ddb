"""Test dumps that QEMU did not write: legal differences are not faults, and missing data is named by its cause."""

from __future__ import annotations

import pytest

from tests.data_files import fault
from tests.kit import found, opened
from vmci_tui.common.errors import OpenError
from vmci_tui.render.dump_report import show_text


def test_both_notes_of_a_xen_dom0_are_legal() -> None:
    findings = found(opened(fault("xen-dom0-both.elf")))
    assert findings["M12"].severity == "info" and not {"N04", "N05", "N16"} & set(findings)


def test_the_hypervisors_note_alone_is_not_a_linux_note() -> None:
    document = opened(fault("xen-dom0-both.elf").replace(b"VMCOREINFO\0", b"VMCOREINFX\0"))
    findings = found(document)
    assert "M12" not in findings and {"N01", "N04"} & set(findings)


def test_a_dump_of_the_windows_driver_is_explained() -> None:
    lines = [*show_text(opened(fault("32-vmcoredd.elf")))]
    told = next(line for line in lines if "LINUX" in line)
    assert told.endswith(": a driver's own dump of its device, NT_VMCOREDD hwdev0")


def test_a_whole_file_however_small_is_not_cut_off() -> None:
    findings = found(opened(fault("drgn-test_physical.elf")))
    assert "C02" not in findings and "crash" in {c.reader for c in findings["N01"].readers}
    cut = found(opened(fault("drgn-test_physical.elf")[:-4]))
    assert "C02" in cut


def test_a_kdump_without_a_sub_header_is_named() -> None:
    with pytest.raises(OpenError, match="has no sub-header"):
        opened(fault("diskdump-empty-x86_64.dump"))
