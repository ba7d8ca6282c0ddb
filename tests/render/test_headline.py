"""Test the first line of `vmci show`, and sizes as people say them."""

from __future__ import annotations

import pytest

from tests.paths import SAMPLES
from vmci_tui.common.errors import EditError
from vmci_tui.common.sizes import size_text
from vmci_tui.formats.fw_cfg_entry import parse_number
from vmci_tui.opening.open_file import open_document
from vmci_tui.render.headline import headline

_SAMPLES = {
    "amd64-cut-nonote.elf": "unknown kernel, x86_64, 2 CPUs, 636 KiB; no VMCOREINFO note: `vmci check FILE` says",
    "amd64-cut-note.elf": "Linux 6.1.0-56-amd64, x86_64, 2 CPUs, ",
    "x86_64-windows.elf": "Windows, x86_64, 1 CPU, 144 KiB; VMCOREINFO note of 8.0 KiB",
    "i386-qemu.kdump": "Linux 6.1.0-50-686-pae, i386, 1 CPU, 1.9 MiB; VMCOREINFO note of 2.8 KiB",
    "hostile-text.elf": "Linux 6.1.0-\\x1b[31mred\\x1b[0m, x86_64, 2 CPUs, 4 KiB;",
    "good.entry": "an entry, without a dump; the note is present",
    "never-written.entry": "an entry, without a dump; the note is not present",
}


@pytest.mark.parametrize("name", _SAMPLES)
def test_the_first_line_says_what_a_file_holds(name: str) -> None:
    with open_document(str(SAMPLES / name)) as document:
        assert headline(document).startswith(_SAMPLES[name])


def test_sizes_are_written_and_read_with_units() -> None:
    assert [size_text(size) for size in (0, 1, 1023, 1024, 3412, 192 << 20, 3 << 29, 1 << 42)] == [
        "0 bytes", "1 byte", "1023 bytes", "1 KiB", "3.3 KiB", "192 MiB", "1.5 GiB", "4 TiB"
    ]  # fmt: skip
    assert [parse_number(text) for text in ("1MiB", "4 kib", "0x10GiB", "-1KiB", "12")] == [
        1 << 20, 4096, 16 << 30, -1024, 12
    ]  # fmt: skip
    for text in ("MiB", "1 MB", "1.5MiB", "1KiBKiB"):
        with pytest.raises(EditError, match="1MiB"):
            parse_number(text)
