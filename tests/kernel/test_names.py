"""Test what the names of types say if a dump has only some of them: nothing is taken for another, or as absent."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from tests.kernel.made_types import types_with
from vmci_tui.common.budget import Budget
from vmci_tui.cutting.asked_names import AskedNames
from vmci_tui.kernel.types.btf import Btf, Kind, read_btf
from vmci_tui.kernel.types.in_memory import types_at
from vmci_tui.kernel.types.names import NameLacking, Names

_NAMES = [b"type_%03d" % number for number in range(0, 600, 2)]
"""Of types that are in this order, as Linux 7.2 has them."""


def _sorted(names: list[bytes]) -> tuple[bytes, Btf]:
    """Return types of these names, after one without a name, and what memory has of them."""
    texts, body = bytearray(1), struct.pack("<III", 0, Kind.CONST << 24, 0)
    for size, name in enumerate(names):
        body += struct.pack("<III", len(texts), Kind.STRUCT << 24, size)
        texts += name + b"\0"
    data = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(body), len(body), len(texts)) + body + bytes(texts)
    return data, read_btf(data, "little", 8)


def _only(names: AskedNames) -> Names:
    """Return zeros for all names but those that were asked for."""
    texts = bytearray(len(names.texts))
    for start, end in names.parts():
        texts[start:end] = names.texts[start:end]
    return Names(bytes(texts))


def test_a_name_of_which_a_byte_is_lacking_is_not_there() -> None:
    texts = b"\0alpha\0beta\0gamma\0"
    assert Names(texts).places(b"beta") == (7,) and Names(texts).text(7) == b"beta" and Names(texts).whole
    for part in ((6, 7), (8, 9), (11, 12), (0, 8), (10, 18)):
        names = Names(texts[: part[0]] + bytes(part[1] - part[0]) + texts[part[1] :], (part,))
        assert not names.whole and not names.has(7)
        assert names.places(b"beta") == names.places(b"be") == names.places(b"bet") == ()
    assert Names(texts, ((0, 6), (12, 18))).places(b"beta") == (7,)


@pytest.mark.parametrize("asked", [b"type_100", b"type_101", b"type_000", b"a", b"zeta"])
def test_sorted_types_answer_by_the_names_on_both_sides(asked: bytes) -> None:
    _, types = _sorted(_NAMES)
    names = AskedNames(types.names)
    found = replace(types, names=names).ids(asked)
    # Some others are asked for too, so that their order shows.
    for name in _NAMES[::15]:
        replace(types, names=names).ids(name)
    cut = replace(types, names=_only(names))
    assert found == cut.ids(asked) == types.ids(asked)
    assert len(list(names.parts())) <= 22
    with pytest.raises(NameLacking):
        cut.ids(b"type_333")
    with pytest.raises(NameLacking):
        cut.ids(b"type_332")


def test_unsorted_types_answer_by_all_names() -> None:
    _, types = _sorted([*_NAMES[100:], *_NAMES[:100]])
    names = AskedNames(types.names)
    assert replace(types, names=names).ids(_NAMES[7]) and len(list(names.parts())) == 1
    cut = replace(types, names=_only(names))
    with pytest.raises(NameLacking):
        cut.ids(b"type_333")
    assert replace(types, names=names).ids(b"type_333") == []
    assert replace(types, names=_only(names)).ids(b"type_333") == []


def test_few_names_in_order_do_not_show_that_all_are() -> None:
    _, types = _sorted([*_NAMES[100:], *_NAMES[:100]])
    names = AskedNames(types.names)
    for name in (b"type_202", b"type_204"):
        assert replace(types, names=names).ids(name)
    with pytest.raises(NameLacking):
        replace(types, names=_only(names)).ids(b"type_203")


def test_a_member_is_absent_only_if_all_names_of_the_struct_are_known() -> None:
    types = types_with({"task": (32, {"pid": 0, "comm": 8}), "other": (16, {"cpu": 0})})
    names = AskedNames(types.names)
    asked = replace(types, names=names)
    (task,) = asked.ids(b"task")
    assert asked.member(task, b"comm") and asked.member(task, b"cpu") is None
    cut = replace(types, names=_only(names))
    assert cut.member(task, b"comm") == types.member(task, b"comm")
    assert cut.member(task, b"cpu") is None  # a name that is known is that of others
    with pytest.raises(NameLacking):
        cut.member(task, b"state")
    assert asked.member(task, b"state") is None
    assert replace(types, names=_only(names)).member(task, b"state") is None


def test_an_enumerator_is_absent_only_if_all_are_known() -> None:
    texts = b"\0page_flags\0PG_lru\0PG_head\0"
    values = struct.pack("<IIIIIII", 1, Kind.ENUM << 24 | 2, 4, 12, 5, 19, 6)
    data = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(values), len(values), len(texts)) + values + texts
    types = read_btf(data, "little", 8)
    names = AskedNames(types.names)
    assert replace(types, names=names).enumerators(b"PG_head") == {6}
    with pytest.raises(NameLacking):
        replace(types, names=_only(names)).enumerators(b"PG_hwpoison")
    assert replace(types, names=names).enumerators(b"PG_hwpoison") == frozenset()
    assert replace(types, names=_only(names)).enumerators(b"PG_hwpoison") == frozenset()


def test_pages_of_names_may_be_absent_but_not_of_types() -> None:
    data, types = _sorted(_NAMES)
    start = 0x10000 - (len(data) - len(types.names.texts) + 2700)  # a page begins at offset 2700 of the names

    def read_without(missing: int) -> Btf | None:
        def read(at: int, length: int) -> bytes | None:
            inside = at - start
            return None if at <= missing + 4095 and missing < at + length else data[inside : inside + length]

        return types_at(read, start, len(data), "little", 8, Budget())

    known = read_without(0x10000)
    assert known is not None and known.names.lacking == ((2700, len(types.names.texts)),)
    assert known.ids(_NAMES[298]) == types.ids(_NAMES[298])
    with pytest.raises(NameLacking):
        known.ids(_NAMES[299])
    for page in (start // 4096 * 4096, start // 4096 * 4096 + 4096):
        assert read_without(page) is None
