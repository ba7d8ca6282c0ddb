"""Test the tables of docs/format.md with a real QEMU."""

from __future__ import annotations

import pytest

from tests.real import readers
from tests.test_format_page import LIES, NOTE, history, table, writes_of
from vmci_tui.formats.fw_cfg_entry import EntryHistory
from vmci_tui.qemu.machine import QemuOutput

_NO_RAM = 1 << 36


def asked(what: EntryHistory, region: bytes) -> QemuOutput:
    readers.need("qemu-system-x86_64")
    from vmci_tui.qemu.ask import ask

    return ask(what, region).seen


@pytest.mark.parametrize("row", table("host_format | guest_format"), ids=lambda row: " ".join(row[:4]))
def test_rules_of_qemu(row: list[str]) -> None:
    host, guest, size, region, says, appends = row
    paddr = _NO_RAM if region == "no RAM" else 0x100000
    seen = asked(history(int(host), int(guest), int(size), paddr), LIES[region])
    assert (seen.warnings or ("nothing",)) == (says,)
    assert (seen.appended is None) if appends == "nothing" else len(seen.appended or b"") == int(appends)


@pytest.mark.parametrize("row", table("writes since reset"), ids=lambda row: row[0])
def test_writes(row: list[str]) -> None:
    seen = asked(writes_of(row[0]), NOTE)
    assert ("guest note is not present" in seen.warnings) is (row[1] == "not present")
    if row[0].endswith("bad source"):
        assert seen.warnings == ("guest note size is invalid: 0",)
