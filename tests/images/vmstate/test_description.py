"""Test the description of devices: where their fields are, and that a hostile one costs little."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vmci_tui.common.errors import OpenError
from vmci_tui.images.vmstate.description import LIMIT, Description, Field

Json = dict[str, Any]


def _of(*fields: Json, subsections: tuple[Json, ...] = ()) -> Description:
    device = {"name": "dev", "instance_id": 0, "fields": list(fields), "subsections": list(subsections)}
    return Description.of(json.dumps({"page_size": 4096, "devices": [device]}).encode())


def _number(name: str, size: int = 4, **more: object) -> Json:
    return {"name": name, "type": "x", "size": size, **more}


def test_fields_follow_each_other() -> None:
    found = _of(_number("a", 1), _number("b", 8, array_len=3), _number("c", 2)).layout("dev", 0)
    assert found is not None and found.length == 27
    assert found.fields == {"a": Field(0, 1), "b": Field(1, 8, 3), "c": Field(25, 2)}


def test_structs_arrays_of_them_and_indices_have_names() -> None:
    struct = {"fields": [_number("x", 2), _number("y", 4)]}
    found = _of(
        {"name": "s", "type": "struct", "size": 6, "array_len": 2, "struct": struct},
        {"name": "t", "type": "struct", "size": 6, "index": 7, "struct": struct},
        {"name": "tmp", "type": "tmp", "size": 10, "fields": [_number("mant", 8), _number("exp", 2)]},
    ).layout("dev", 0)
    assert found is not None and found.length == 28
    assert {name: at for name, (at, _, _) in found.fields.items()} == {
        "s[0].x": 0, "s[0].y": 2, "s[1].x": 6, "s[1].y": 8, "t[7].x": 12, "t[7].y": 14, "tmp.mant": 18, "tmp.exp": 26,
    }  # fmt: skip


def test_a_subsection_has_a_head_and_fields_of_the_same_name_stay_apart() -> None:
    subsections = ({"vmsd_name": "dev/sub", "fields": [_number("a")]}, {"vmsd_name": "dev/b", "fields": []})
    found = _of(_number("a"), subsections=subsections).layout("dev", 0)
    assert found is not None
    assert found.fields == {"a": Field(0, 4), "dev/sub/a": Field(4 + 6 + 7, 4)}
    assert found.length == 4 + 6 + 7 + 4 + 6 + 5


def test_a_device_that_is_not_described_has_no_layout() -> None:
    assert _of().layout("dev", 1) is None and _of().layout("other", 0) is None


def _nested(depth: int) -> Json:
    struct: Json = {"fields": [_number("x")]}
    for _ in range(depth):
        struct = {"fields": [{"name": "s", "size": 4, "struct": struct}]}
    return {"name": "s", "size": 4, "struct": struct}


def _doubled(depth: int) -> Json:
    """Return structs of two structs each, down to one without fields."""
    struct: Json = {"fields": []}
    for _ in range(depth):
        struct = {"fields": [{"name": "s", "size": 1, "array_len": 2, "struct": struct}]}
    return {"name": "s", "size": 4, "struct": struct}


@pytest.mark.parametrize(
    "field",
    [
        _nested(100),
        _doubled(22),
        _number("a", 1 << 41),
        _number("a", 4, array_len=1 << 60),
        _number("a", -1),
        _number("a", 4, array_len="7"),
        {"name": "s", "size": 0, "array_len": 1 << 32, "struct": {"fields": []}},
        {"name": "s", "size": 4, "struct": 7},
        {"name": "s", "size": 4, "struct": {"fields": [7]}},
        {"name": "s", "size": 4, "struct": {"fields": {}}},
    ],
)
def test_a_hostile_device_has_no_layout(field: Json) -> None:
    assert _of(field).layout("dev", 0) is None


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"7", b'{"devices": 7}', b'{"devices": [{}]}', b'{"devices": [{"name": 1}]}',
        b'{"devices": [{"name": "a", "instance_id": 1e999}]}', b"\xff\xfe", b"[" * 100_000,
        b'{"devices": ' + b'{"a":' * 100_000, b" " * (LIMIT + 1),
    ],
)  # fmt: skip
def test_a_damaged_description_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(OpenError) as caught:
        Description.of(data)
    assert "\n" not in str(caught.value)
