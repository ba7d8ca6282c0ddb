"""Test the logs of booted guests of all machines, cut to the pages that hold them, against the guests' own dmesg.

Debian's kernels 6.1 (bookworm), 6.12 (trixie) and 7.2 (sid) under QEMU; each guest printed its log by busybox's dmesg
some time before the dump.
"""

from __future__ import annotations

import gzip

import pytest

from tests.kit import opened
from tests.paths import DATA
from vmci_tui.containers.guest import guest_of
from vmci_tui.kernel.log.read_log import read_log
from vmci_tui.render.kernel.log_report import shown, time_of

_FOLDER = DATA / "logs"


@pytest.mark.parametrize("name", sorted(path.name.split(".")[0] for path in _FOLDER.glob("*.dmesg.gz")))
def test_the_log_begins_as_the_guests_own_dmesg(name: str) -> None:
    document = opened(gzip.decompress((_FOLDER / f"{name}.elf.gz").read_bytes()))
    text = document.state.vmcoreinfo
    assert document.dump is not None and text is not None
    log = read_log(text, guest_of(document.dump))
    assert log.remarks == (), "memory proves the note, and no record is left out"
    own = [f"{time_of(record)} {shown(line)}" for record in log.records for line in record.text.split(b"\n")]
    guest = gzip.decompress((_FOLDER / f"{name}.dmesg.gz").read_bytes()).decode().splitlines()
    assert len(guest) > 100 and own[: len(guest)] == guest
