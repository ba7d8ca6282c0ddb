"""Test BTF against what the C compiler itself says of the same types, in both byte orders."""

from __future__ import annotations

import struct
from contextlib import suppress
from random import Random

import pytest

from tests.paths import DATA
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.types.btf import Btf, Kind, Member, read_btf
from vmci_tui.kernel.types.names import NameLacking
from vmci_tui.kernel.types.sections import BtfError

_LITTLE = (DATA / "btf" / "types.btf").read_bytes()
_HEADER = struct.Struct("<HBBIIIII")


def _swapped(data: bytes) -> bytes:
    """Return the same BTF in the other byte order: but for the header and the texts, all is words of 32 bits."""
    magic, version, flags, *lengths = _HEADER.unpack_from(data)
    words, texts = data[24 : 24 + lengths[2]], data[24 + lengths[2] :]
    count = len(words) // 4
    swapped = struct.pack(f">{count}I", *struct.unpack(f"<{count}I", words))
    return struct.pack(">HBBIIIII", magic, version, flags, *lengths) + swapped + texts


@pytest.fixture(params=["little", "big"])
def btf(request: pytest.FixtureRequest) -> Btf:
    order: ByteOrder = request.param
    return read_btf(_LITTLE if order == "little" else _swapped(_LITTLE), order, 8)


def _one(btf: Btf, name: bytes, *kinds: Kind) -> int:
    (number,) = btf.ids(name, *kinds)
    return number


@pytest.mark.parametrize(
    ("path", "offset"),
    [
        # What offsetof() of gcc 12 on x86-64 prints.
        (b"first", 0),
        (b"a", 4),
        (b"u", 8),
        (b"inner", 11),
        (b"count", 12),
        (b"count.counter", 12),
        (b"list.prev", 24),
        (b"many", 32),
        (b"either.w", 120),
        (b"texts", 136),
    ],
)
def test_offsets_are_those_of_the_compiler(btf: Btf, path: bytes, offset: int) -> None:
    member = btf.member(_one(btf, b"deep"), path)
    assert member is not None and (member.bit, member.bits) == (8 * offset, 0)
    assert btf.member(_one(btf, b"deep_t"), path) == member


def test_bitfields_have_their_bits(btf: Btf) -> None:
    low, high = (btf.member(_one(btf, b"deep"), name) for name in (b"low", b"high"))
    assert low is not None and high is not None
    assert (low.bits, high.bits, high.bit - low.bit) == (3, 7, 3)


@pytest.mark.parametrize("path", [b"none", b"first.none", b"list.none", b"", b"list.", b".list", b"texts.first"])
def test_members_that_are_not_there(btf: Btf, path: bytes) -> None:
    assert btf.member(_one(btf, b"deep"), path) is None


def test_sizes_and_lengths_are_those_of_the_compiler(btf: Btf) -> None:
    assert btf.size(_one(btf, b"deep", Kind.STRUCT)) == 152
    assert btf.size(_one(btf, b"word")) == 8
    assert btf.size(_one(btf, b"atomic_t")) == 4
    assert btf.size(_one(btf, b"empty")) == 0
    many, texts = (btf.member(_one(btf, b"deep"), name) for name in (b"many", b"texts"))
    assert many is not None and (btf.size(many.type), btf.length(many.type)) == (88, 11)
    assert texts is not None and (btf.size(texts.type), btf.length(texts.type)) == (16, 2)
    assert btf.length(_one(btf, b"word")) is None


def test_enumerators(btf: Btf) -> None:
    assert btf.enumerators(b"PG_lru") == {5}
    assert btf.enumerators(b"BELOW") == {-257 % (1 << 32)}
    assert btf.enumerators(b"none") == frozenset()


def _made(types: bytes, texts: bytes = b"\0S\0a\0E\0") -> bytes:
    return _HEADER.pack(0xEB9F, 1, 0, 24, 0, len(types), len(types), len(texts)) + types + texts


def test_enumerators_are_read_from_enumerations_alone(btf: Btf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a kernel's 130,000 types some thousand are enumerations."""
    looked_at: list[int] = []
    record = Btf._record

    def watched(self: Btf, number: int) -> tuple[Kind, int, int, int]:
        looked_at.append(number)
        return record(self, number)

    monkeypatch.setattr(Btf, "_record", watched)
    assert btf.enumerators(b"no such enumerator") == frozenset()
    assert looked_at and {btf.kinds[number] for number in looked_at} <= {Kind.ENUM, Kind.ENUM64}


def test_signed_and_wide_enumerators() -> None:
    signed = struct.pack("<IIIIi", 5, 1 << 31 | Kind.ENUM << 24 | 1, 4, 3, -2)
    wide = struct.pack("<IIIIII", 5, Kind.ENUM64 << 24 | 1, 8, 1, 7, 9)
    btf = read_btf(_made(signed + wide), "little", 8)
    assert btf.enumerators(b"a") == {-2}
    assert btf.enumerators(b"S") == {9 << 32 | 7}


def test_types_that_contain_themselves_end() -> None:
    """A typedef of itself, a struct whose anonymous member is itself, an array of itself."""
    types = struct.pack("<III", 1, Kind.TYPEDEF << 24, 1)
    types += struct.pack("<IIIIII", 1, Kind.STRUCT << 24 | 1, 4, 0, 2, 0)
    types += struct.pack("<IIIIII", 0, Kind.ARRAY << 24, 0, 3, 1, 1 << 31)
    btf = read_btf(_made(types), "little", 8)
    assert btf.size(1) is None and btf.size(3) is None
    assert btf.member(2, b"a") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        _LITTLE[:23],
        b"\0" + _LITTLE[1:],
        _swapped(_LITTLE),
        _LITTLE[:-1],
        _made(bytes(12)),
        _made(struct.pack("<III", 1, 20 << 24, 1)),
        _made(struct.pack("<III", 1, Kind.STRUCT << 24 | 1, 4)),
        _made(bytes(3)),
    ],
)
def test_what_is_not_btf_is_refused(data: bytes) -> None:
    with pytest.raises(BtfError):
        read_btf(data, "little", 8)


def test_changed_bytes_raise_nothing_else() -> None:
    random = Random(16)
    for _ in range(1500):
        data = bytearray(_LITTLE)
        for _ in range(random.choice((1, 2, 8))):
            data[random.randrange(len(data))] = random.choice((0, 1, 255, random.randrange(256)))
        try:
            btf = read_btf(bytes(data), "little", 8)
        except BtfError:
            continue
        for number in range(40):
            assert btf.size(number) is None or btf.size(number) >= 0  # type: ignore[operator]
            btf.length(number)
            with suppress(NameLacking):
                found = btf.member(number, b"list.prev")
                assert found is None or isinstance(found, Member)
        with suppress(NameLacking):
            btf.enumerators(b"PG_lru")
            btf.ids(b"deep")
