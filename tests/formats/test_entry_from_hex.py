"""Test hex dumps of an entry, as the programs printed them."""

from __future__ import annotations

import pytest

from vmci_tui.formats.entry_from_hex import entry_bytes
from vmci_tui.formats.entry_from_text import from_text, is_entry_text
from vmci_tui.formats.fw_cfg_entry import Entry

_ENTRY = Entry(0, 1, 4132, 0x19C8000)


@pytest.mark.parametrize(
    "text",
    [
        "00000000: 0000 0100 2410 0000 0080 9c01 0000 0000  ....$...........\n",  # xxd
        "00000000: 00 00 01 00 24 10 00 00 00 80 9c 01 00 00 00 00  ....$...........\n",  # xxd -g1, vmci hex
        "000001002410000000809c0100000000\n",  # xxd -p
        "00000000  00 00 01 00 24 10 00 00  00 80 9c 01 00 00 00 00  |....$...........|\n00000010\n",  # hexdump -C
        "0000000 0000 0001 1024 0000 8000 019c 0000 0000\n0000010\n",  # hexdump
        "0000000 000000 000001 010044 000000 100000 000634 000000 000000\n0000020\n",  # od
        "0000000 0000 0001 1024 0000 8000 019c 0000 0000\n0000020\n",  # od -x
        "0000000 00010000 00001024 019c8000 00000000\n0000020\n",  # od -tx4
        " 00 00 01 00 24 10 00 00 00 80 9c 01 00 00 00 00\n",  # od -An -tx1
        "000000 00 00 01 00 24 10 00 00 00 80 9c 01 00 00 00 00  >....$...........<\r\n000010\r\n",  # od -Ax -tx1z
        "0x7f0010:\t0x00\t0x00\t0x01\t0x00\t0x24\t0x10\t0x00\t0x00\n"  # gdb, x/16xb
        "0x7f0018:\t0x00\t0x80\t0x9c\t0x01\t0x00\t0x00\t0x00\t0x00\n",
        "0x55e0 <state+160>:\t0x0000102400010000\t0x00000000019c8000\n".replace("0x55e0", "0x5555555555e0"),  # x/2xg
        "0000000001f8c000: 0x00010000 0x00001024 0x019c8000 0x00000000\n",  # QEMU, xp /4wx
    ],
)
def test_a_hex_dump_of_16_bytes_is_the_entry(text: str) -> None:
    data = text.encode()
    assert entry_bytes(data) == _ENTRY.pack()
    assert is_entry_text(data) and from_text(data).entry == _ENTRY and from_text(data).present


@pytest.mark.parametrize(
    "text",
    [
        "00000000: 0000 0100 2410 0000 0080 9c01 0000\n",  # 14 bytes
        "00000000: 00000100 24100000 00809c01 00000000\n",  # xxd -g4 or -e: it is ambiguous
        "00000000: 0000 0100 2410 0000\n00000010: 0080 9c01 0000 0000\n",  # a line is missing
        "00000000: 0000 0100 2410 000 00080 9c01 0000 0000\n",
        "0000000 0000 0001 1024 0000 8000 019c 0000 0000 hello, world\n",
        "000001002410000000809c01000000000000000000\n",
        "no hex at all, though it is a text of some length\n",
        "\n" * 100,
    ],
)
def test_other_texts_are_not_an_entry(text: str) -> None:
    assert entry_bytes(text.encode()) is None
