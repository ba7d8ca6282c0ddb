"""Compare a value of the JSON with its type in `docs/json_types.py` and its neighbours."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin, is_typeddict

from json_page import keys_of, parts_of


def wrong(value: Any, kind: Any, at: str = "") -> Iterator[str]:
    """Yield the places of a value that are not of a type."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from wrong(value, inside[0], at)
    elif origin in (Union, types.UnionType):
        tries = [list(wrong(value, one, at)) for one in inside]
        yield from min(tries, key=len) if all(tries) else ()
    elif is_typeddict(kind):
        yield from _wrong_keys(value, kind, at) if isinstance(value, dict) else [at]
    elif origin in (list, dict):
        items = dict(enumerate(value)) if isinstance(value, list) and origin is list else value
        if not isinstance(items, dict):
            yield at
            return
        for name, item in items.items():
            yield from wrong(item, inside[-1], f"{at}[{name}]")
    elif origin is Literal:
        yield from () if value in inside else (f"{at} {value!r}",)
    elif kind is not Any and type(value) is not kind:
        yield f"{at} {value!r}"


def _wrong_keys(value: dict[str, Any], kind: Any, at: str) -> Iterator[str]:
    hints = keys_of(kind)
    yield from (f"{at}.{name} is not in the page" for name in value.keys() - hints.keys())
    for name, hint in hints.items():
        wanted, may_miss, _ = parts_of(hint)
        if name in value:
            yield from wrong(value[name], wanted, f"{at}.{name}")
        elif not may_miss:
            yield f"{at}.{name} is missing"
