from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vmci_tui.layers.file import BytesSource
from vmci_tui.layers.image import Copy, Extent, Image, Literal, diff

_SOURCE = bytes(range(256)) * 40
_extents = st.lists(
    st.builds(Literal, st.binary(max_size=40))
    | st.integers(0, len(_SOURCE)).flatmap(
        lambda at: st.integers(0, min(100, len(_SOURCE) - at)).map(lambda n: Copy(at, n))
    ),
    max_size=6,
)


def _bytes(extents: list[Extent]) -> bytes:
    return b"".join(e.data if isinstance(e, Literal) else _SOURCE[e.offset : e.offset + e.length] for e in extents)


@given(_extents, st.integers(-5, 400), st.integers(0, 400))
def test_reading_an_image_is_reading_its_bytes(extents: list[Extent], offset: int, length: int) -> None:
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


def test_only_what_differs_is_listed() -> None:
    source = BytesSource(_SOURCE)
    assert diff(source, Image.of(len(_SOURCE))) == ()
    head = bytearray(_SOURCE[:9000])
    head[5000:5003] = b"new"
    (change,) = diff(source, Image((Literal(bytes(head)), Copy(9000, 1240))))
    assert (change.offset, change.extent) == (5000, Literal(b"new"))


def test_an_empty_file_is_an_empty_image() -> None:
    assert Image.of(0).extents == () and Image.of(0).read(BytesSource(b""), 0, 10) == b""
