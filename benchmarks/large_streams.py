"""Write large migration streams: the guest of a small one in tests/data, with more memory."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from struct import pack
from typing import Final, Literal

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.zstd import zstd  # noqa: E402
from vmci_tui.images.stream_image.stream import Stream, read_stream  # noqa: E402
from vmci_tui.layers.file import BytesSource  # noqa: E402

PAGE: Final = 4096
_SECTION: Final = 64 << 20
"""Bytes of guest memory in a section."""
_PART: Final = b"\2\0\0\0\2"
_END: Final = pack(">Q", 0x10) + b"\x7e\0\0\0\2"
_LOW: Final = 128 << 20
"""Where the guest's memory is split: what is above is from 4 GiB on."""
_CMOS_ABOVE: Final = 0x5B
"""Where the clock has the size of the memory above 4 GiB, in 64 KiB."""

Pages = Literal["plain", "zero"]


def write_stream(path: Path, gib: int, pages: Pages) -> None:
    """Write a stream of a guest with `gib` GiB.

    Plain pages are the small guest's own, which has a kernel, then data without zeros.
    """
    small = read_stream(
        BytesSource(zstd.decompress((ROOT / "tests" / "data" / "streams" / "pc-7.2.qevm.zst").read_bytes()))
    )
    size, kernel = gib << 30, small.blocks[0].length
    data = os.urandom(1 << 20)
    with path.open("wb") as out:
        out.write(b"QEVM\0\0\0\3\7\0\0\0\x0dpc-i440fx-7.2\1\0\0\0\2\3ram" + pack(">II", 0, 4))
        out.write(pack(">Q", size | 4) + b"\6pc.ram" + pack(">Q", size) + _END)
        first = b"\6pc.ram"
        for start in range(0, size, _SECTION):
            out.write(_PART)
            for at in range(start, start + _SECTION, PAGE):
                head = pack(">Q", at | (8 if pages == "plain" else 2) | (0 if first else 0x20)) + first
                first = b""
                if pages == "zero":
                    out.write(head + b"\0")
                elif at < kernel:
                    out.write(head + small.memory.read(at, PAGE))
                else:
                    inside = at % len(data)
                    out.write(head + pack(">Q", at) + data[inside + 8 : inside + PAGE])
            out.write(_END)
        out.write(b"\3" + _PART[1:] + _END + _devices(small, size))


def _devices(small: Stream, size: int) -> bytes:
    """Return the states of the small guest's devices, of which the clock knows the larger memory."""
    first = small.sections[0]
    start = first.at - 14 - len(first.name)
    out = bytearray(small.source.read(start, small.source.size - start))
    clock = next(section for section in small.sections if section.name == "mc146818rtc").at - start
    out[clock + _CMOS_ABOVE : clock + _CMOS_ABOVE + 3] = (size - _LOW >> 16).to_bytes(3, "little")
    return bytes(out)
