from __future__ import annotations

from hypothesis import strategies as st

from tests.properties import given
from vmci_tui.layers.file import BytesSource
from vmci_tui.layers.image import Extent, Image, NewBytes, SourceBytes, diff

_SOURCE = bytes(range(256)) * 40
_extents = st.lists(
    st.builds(NewBytes, st.binary(max_size=40))
    | st.integers(0, len(_SOURCE)).flatmap(
        lambda at: st.integers(0, min(100, len(_SOURCE) - at)).map(lambda n: SourceBytes(at, n))
    ),
    max_size=6,
)


def _bytes(extents: list[Extent]) -> bytes:
    return b"".join(e.data if isinstance(e, NewBytes) else _SOURCE[e.offset : e.offset + e.length] for e in extents)


@given(_extents, st.integers(-5, 400), st.integers(0, 400))
def test_reads_of_an_image_are_its_bytes(extents: list[Extent], offset: int, length: int) -> None:
    image, whole = Image(tuple(extents)), _bytes(extents)
    assert image.size == len(whole)
    wanted = whole[offset : offset + length] if offset >= 0 else b""
    assert image.read(BytesSource(_SOURCE), offset, length) == wanted


@given(_extents)
def test_the_difference_applied_to_the_file_is_the_image(extents: list[Extent]) -> None:
    image, whole = Image(tuple(extents)), _bytes(extents)
    out = bytearray(_SOURCE[: len(whole)].ljust(len(whole), b"\0"))
    for change in diff(BytesSource(_SOURCE), image):
        new = _bytes([change.extent])
        out[change.offset : change.offset + len(new)] = new
    assert bytes(out) == whole


def test_only_differences_are_listed() -> None:
    source = BytesSource(_SOURCE)
    assert diff(source, Image.of(len(_SOURCE))) == ()
    head = bytearray(_SOURCE[:9000])
    head[5000:5003] = b"new"
    (change,) = diff(source, Image((NewBytes(bytes(head)), SourceBytes(9000, 1240))))
    assert (change.offset, change.extent) == (5000, NewBytes(b"new"))


def test_an_empty_file_is_an_empty_image() -> None:
    assert Image.of(0).extents == () and Image.of(0).read(BytesSource(b""), 0, 10) == b""
