"""Finding the pages of a stream while it is opened: with progress, and it goes on where it was stopped."""

from __future__ import annotations

import pytest

from tests.paths import DATA
from tests.zstd import zstd
from vmci_tui.common.errors import Cancelled
from vmci_tui.images.guest_image import ImageChoice
from vmci_tui.images.open_image import image_of
from vmci_tui.images.stream_image import stream
from vmci_tui.images.stream_image.stream import read_stream
from vmci_tui.layers.file import BytesSource


def _stream() -> BytesSource:
    return BytesSource(zstd.decompress((DATA / "streams" / "pc-7.2.qevm.zst").read_bytes()))


@pytest.mark.parametrize("pages", [False, True])
def test_the_app_finds_the_pages_while_it_opens_a_stream(pages: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    source, told = _stream(), []
    image = image_of(source, ImageChoice(pages=pages, progress=lambda what, done, total: told.append((what, total))))
    assert image is not None and bool(told) is pages and set(told) <= {("reading the stream", source.size)}
    if pages:
        monkeypatch.setattr(stream, "step", pytest.fail)
    assert any(image.memory.read(image.source, 0x1414000, 4096))


def test_what_is_stopped_goes_on() -> None:
    def stop(_what: str, done: int, _total: int) -> None:
        if done > 300_000:
            raise Cancelled("stopped")

    one, whole = read_stream(_stream()), read_stream(_stream())
    with pytest.raises(Cancelled):
        one.memory.find_pages(stop)
    for at in range(0, 192 << 20, 1 << 24):
        assert one.memory.read(at, 4096) == whole.memory.read(at, 4096)


def test_a_damaged_stream_still_opens() -> None:
    data = bytearray(_stream().read(0, 1 << 30))
    data[400_000:400_009] = bytes(9)
    image = image_of(BytesSource(bytes(data)), ImageChoice(pages=True))
    assert image is not None and image.entry is not None and image.entry.present
