"""Test in a real terminal that keys in one burst, as from a slow line, work as if they were typed slowly."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.faults.pty import Terminal
from tests.paths import SAMPLES

_DOWN = "\x1b[B"


@pytest.mark.parametrize(
    ("name", "keys", "shown"),
    [
        ("good.entry", _DOWN * 3 + "\r\x150xabcdef12\r", "0xabcdef12  [12 ef cd ab]"),
        ("good.entry", _DOWN * 3 + "\r\x15\x1b[200~0xabcdef12\x1b[201~\r", "0xabcdef12  [12 ef cd ab]"),
        ("x86_64-linux-good.elf", "1f", "MODIFIED"),
        ("x86_64-linux-good.elf", "/pagesize\r\r\x158192\ru", "undone: "),
        ("x86_64-linux-good.elf", "5g0x4e8\r" + "\x1b[C" * 5, "offset 0x4ed"),
    ],
    ids=["a value", "a paste", "another pane", "dialogs one after the other", "a key that repeats"],
)
def test_a_burst(tmp_path: Path, name: str, keys: str, shown: str) -> None:
    shutil.copy(SAMPLES / name, tmp_path)
    with Terminal((sys.executable, "-m", "vmci_tui", str(tmp_path / name))) as terminal:
        terminal.wait_for("q Quit")
        terminal.settle()
        terminal.send(keys)
        terminal.wait_for(shown)
