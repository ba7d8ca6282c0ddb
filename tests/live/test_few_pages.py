"""A VM whose kernel cannot be found: no command reads more than a few pages to say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.fake_qemu import FakeQemu, serving, with_entry
from tests.paths import SAMPLES
from vmci_tui.cli.run import main
from vmci_tui.containers import open_dump
from vmci_tui.layers.file import FileSource

_LIMIT = 300
"""Pages; the image alone has 12,000."""


@pytest.mark.parametrize(
    "command", ["check", "check --all-readers", "prove", "log", "cpus", "symbols", "find", "explain OSRELEASE"]
)
def test_a_kernel_whose_pages_hold_nothing(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, *rest = command.split()
    with FileSource(str(SAMPLES / "amd64-cut-nonote.elf")) as file:
        fake = FakeQemu(open_dump(file))
        fake.devices = with_entry(fake.devices, 0x19C8000)
        rows = (f"  {at:016x}-{at + (64 << 20) - 1:016x} (prio 0, ram): pc.ram @{at:016x}" for at in (0, 64 << 20))
        fake.map = "\r\n".join(["FlatView #0", ' AS "memory", root: system', " Root memory region: system", *rows, ""])
        with serving(fake, tmp_path / "q") as path:
            words = [*rest, f"qmp:{path}"] if name == "explain" else [f"qmp:{path}", *rest]
            code = main([name, *words])
    said = capsys.readouterr()
    assert len(fake.pages) < _LIMIT
    assert code in (0, 1) if said.out else code == 3 and said.err.startswith("vmci: ")
