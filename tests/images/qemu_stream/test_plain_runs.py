"""Test that runs of plain pages, read by their words alone, give the index that reading each record gives."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.images.qemu_stream.written import PAGE, clock, entry, filled, plain, ram, sizes, stream
from tests.opened_files import file_source
from vmci_tui.images.qemu_stream import plain_runs
from vmci_tui.images.qemu_stream.ram import RamCounts
from vmci_tui.images.qemu_stream.walk import begin, step
from vmci_tui.layers.file import BytesSource, Source

_PAGES = 2100
"""More than eight runs."""
_PAGE = random.Random(1).randbytes(PAGE)


def _records(breaks: list[int], chance: random.Random) -> bytes:
    """Return plain pages of random bytes, in order; at `breaks` comes something else."""
    out, page = bytearray(plain(0, _PAGE, "pc.ram")), 1
    while page < _PAGES:
        if page in breaks:
            kind = chance.choice(("filled", "back", "skip"))
            if kind == "filled":
                out += filled(page * PAGE, 0)
            elif kind == "back":  # pages that came before come again: the guest was running
                out += b"".join(plain(n * PAGE, _PAGE) for n in range(max(page - 600, 0), page))
            page += kind != "back"
        out += plain(page * PAGE, _PAGE) if page < _PAGES else b""
        page += 1
    return bytes(out)


def _index(source: Source) -> tuple[list[list[int]], RamCounts, int]:
    walk, cursor = begin(source)
    while step(walk, cursor):
        pass
    return [list(places) for places in walk.ram.index.places], walk.ram.counts, cursor.at


@pytest.mark.parametrize(
    "breaks", [[], [1], [255], [256], [512], [700, 703, 706], [*range(1000, 1100, 7)], [_PAGES - 1]]
)
def test_the_index_of_a_file_is_that_of_its_bytes(
    breaks: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 4 * _PAGES * PAGE
    records = _records(breaks, random.Random(len(breaks)))
    data = stream(ram(1, sizes([("pc.ram", size)])), ram(2, records), ram(3, b""), clock(size), entry())
    tried: list[int] = []
    real = plain_runs.begins_run

    def begins(data: bytes, at: int, word: int, page_size: int) -> bool:
        begun = real(data, at, word, page_size)
        tried.extend([at] * begun)
        return begun

    monkeypatch.setattr(plain_runs, "begins_run", begins)
    (tmp_path / "stream").write_bytes(data)
    assert _index(file_source(str(tmp_path / "stream"))) == _index(BytesSource(data))
    assert tried, "runs are found"


def test_a_run_ends_where_the_index_has_to_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vmci_tui.images.qemu_stream.pages._STEP", 100)
    test_the_index_of_a_file_is_that_of_its_bytes([900], tmp_path, monkeypatch)


def test_what_only_seems_to_be_a_run_is_not_read_again_for_each_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page is followed by itself but for every 128th: a run seems to begin at each of them."""
    calls = 0
    numbers = [n if n % 2 else n - n % 128 for n in range(_PAGES)]
    records = b"".join(plain(n * PAGE, _PAGE, "" if at else "pc.ram") for at, n in enumerate(numbers))
    size = 4 * _PAGES * PAGE
    (tmp_path / "stream").write_bytes(
        stream(ram(1, sizes([("pc.ram", size)])), ram(2, records), ram(3, b""), clock(size), entry())
    )
    real = plain_runs.plain_run

    def counted(*given: object) -> object:
        nonlocal calls
        calls += 1
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(plain_runs, "plain_run", counted)
    _index(file_source(str(tmp_path / "stream")))
    assert 0 < calls <= _PAGES // plain_runs.RUN + 1
