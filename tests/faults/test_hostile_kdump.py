"""Test hostile kdump files: no exception, no hang, no raw bytes, memory bounded for any header.

A slice of the campaign runs in every run; the whole of it with `-m long`.
"""

from __future__ import annotations

import json
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from tests.dumps import kdump_factory as factory
from tests.faults.cases import CASE_SECONDS, Figures, part, whole
from tests.paths import ROOT

_LOOK = """
import sys, json, resource, time
from vmci_tui.render import dump_report as report
from tests.opened_files import open_document
from vmci_tui.containers.guest import guest_of
start = time.process_time()
try:
    document = open_document(sys.argv[1])
    lines = list(report.show_text(document))
    guest = guest_of(document.dump)
    read = [guest.read(item.paddr, 4096) is not None for item in guest.memory.ranges[-2:]]
    heads = 0
    for _ in document.dump.pages.heads(16):
        heads += 1
        if heads == 1000: break
    said = {"ranges": len(guest.memory.ranges), "read": read, "heads": heads}
except Exception as error:
    said = {"error": type(error).__name__, "words": str(error)}
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps(said | {"seconds": time.process_time() - start, "mib": peak >> 10}))
"""


def _sound(figures: Figures) -> None:
    seen, count = figures["seen"], figures["cases"]
    assert not figures["failures"], figures["failures"][0]["traceback"]
    assert figures["slowest_ms"] < 1000 * CASE_SECONDS
    assert seen["opened kdump"] + seen["opened flattened"] > count / 2, "most cases get behind the headers"
    assert seen["pages"] > count and seen["pages that are damaged"] > count / 10


@pytest.mark.parametrize("first", range(0, 1500, 500))
def test_a_slice_of_the_campaign(tmp_path: Path, first: int) -> None:
    figures = part("kdump_campaign", tmp_path, first, 500)
    _sound(figures)
    assert figures["max_rss_mib"] < 100, figures


@pytest.mark.long
def test_the_whole_campaign(tmp_path: Path) -> None:
    figures = whole("kdump_campaign", tmp_path)
    _sound(figures)
    assert figures["max_rss_mib"] < 200


def _look(path: Path, mib: int = 400) -> dict[str, Any]:
    done = subprocess.run(
        (sys.executable, "-c", _LOOK, str(path)),
        cwd=ROOT, capture_output=True, text=True, timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (mib << 20, mib << 20)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _sparse(path: Path, head: bytes, size: int) -> None:
    with open(path, "wb") as file:
        file.write(head)
        file.truncate(size)


def test_the_largest_bitmap_that_is_read(tmp_path: Path) -> None:
    """A guest of 16 TiB: a bitmap of 512 MiB that is a hole, and one of 1 GiB that is too large."""
    blocks = (512 << 20) // 4096
    for factor, words in ((2, None), (3, "blocks of bitmap")):
        data = factory.kdump(max_mapnr=1 << 20, sub={"max_mapnr_64": 1 << 32}, head={"bitmap_blocks": factor * blocks})
        _sparse(tmp_path / "big", data, 1 << 40)
        figures = _look(tmp_path / "big")
        assert figures["seconds"] < 20 and figures["mib"] < 100, figures
        assert words is None or words in figures["words"]


def test_a_bitmap_with_every_second_page(tmp_path: Path) -> None:
    """Of four million ranges the first are listed, each can be read, and memory stays bounded."""
    data = bytearray(factory.kdump({(1 << 23) - 1: bytes(4096)}))
    bitmap = 1 << 20
    start = 8192 + bitmap
    assert data[start : start + bitmap].rstrip(b"\0").endswith(b"\x80")
    data[start : start + bitmap] = b"\xaa" * bitmap
    page = zlib.compress(bytes(4096))
    place = start + bitmap + 24 * (1 << 22)
    table = struct.pack("<QIIQ", place, len(page), factory.ZLIB, 0) * (1 << 22)
    path = tmp_path / "alternating"
    path.write_bytes(bytes(data[: start + bitmap]) + table + page)
    figures = _look(path)
    assert figures["ranges"] == 1 << 18 and figures["read"] == [True, True] and figures["heads"] == 1000
    assert figures["seconds"] < 20 and figures["mib"] < 200, figures


@pytest.mark.parametrize("length", [0, 1])
def test_a_million_records(length: int, tmp_path: Path) -> None:
    plain = factory.kdump()
    tiny = b"".join(struct.pack(">qq", len(plain) + 2 * n, length) + b"x" * length for n in range(1_000_000, 0, -1))
    whole = factory.flattened(plain)
    path = tmp_path / "records"
    path.write_bytes(whole[:-16] + tiny + whole[-16:])
    figures = _look(path)
    assert figures["read"][-1] is True and figures["seconds"] < 40 and figures["mib"] < 250, figures
