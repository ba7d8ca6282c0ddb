"""Make the page of the JSON of all commands from json_types.py and json_parts.py."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import json_types

_WORDS: Final = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null", Any: "anything"}

_INTRO: Final = """\
<!-- Made by docs/make.py from docs/json_types.py and json_parts.py: change it there. -->
# JSON

With `--json` each command prints one object on stdout. Its first key is `schema`, 1. A new version of vmci may add
keys, and values to the lists of values; `schema` becomes 2 when a key is removed or renamed, or changes its meaning.
Bytes that are not printable ASCII are `\\xNN` in strings; absent values are null. Keys marked *?* may be missing.
With exit codes 2 to 4, an error, stdout is empty unless a command below says otherwise; stderr says what to do.

`vmci predict` prints a line for each case, without `schema`: `id` is that of the case; `warnings`, `appended_length`,
`appended_sha256` and `phys_base` are what QEMU will do.
"""


def json_page() -> Iterator[str]:
    """Yield the lines of the page: each command, then the parts in the order in which they are first named."""
    yield from _INTRO.splitlines()
    for command in json_types.COMMANDS:
        yield from ("", f"## {command.__name__}", "", _text(command), "", *_table(command))
    yield from ("", "## Parts")
    for part in _parts():
        yield from ("", f"### {part.__name__}", "", _text(part), "", *_table(part))


def parts_of(hint: Any) -> tuple[Any, bool, str]:
    """Return a key's type, whether the key may be missing, and its description."""
    words = ""
    if get_origin(hint) is Annotated:
        hint, words = get_args(hint)
    if missing := get_origin(hint) is NotRequired:
        (hint,) = get_args(hint)
    if get_origin(hint) is Annotated:
        hint, inner = get_args(hint)
        words = words or inner
    return hint, missing, words


def keys_of(shape: Any) -> dict[str, Any]:
    """Return the annotation of each key of a typed dict."""
    return get_type_hints(shape, include_extras=True)


def _text(shape: Any) -> str:
    return " ".join(shape.__doc__.split()).removesuffix(".") + "."


def _table(shape: Any) -> Iterator[str]:
    yield from ("| key | value | |", "|---|---|---|")
    for name, hint in keys_of(shape).items():
        kind, missing, words = parts_of(hint)
        yield f"| `{name}`{' *?*' if missing else ''} | {_type(kind)} | {words} |"


def _type(kind: Any) -> str:
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _type(inside[0])
    if is_typeddict(kind):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    if origin is list:
        return f"list of {_type(inside[0])}"
    if origin is dict:
        return f"object of {_type(inside[1])}"
    if origin is Literal:
        return ", ".join(f"`{item}`" if isinstance(item, str) else str(item) for item in inside)
    if origin in (Union, types.UnionType):
        return ", ".join(map(_type, inside))
    return _WORDS[kind]


def _parts() -> list[Any]:
    """Return the typed dicts that are named by others, in the order in which they are first named."""
    found: dict[Any, None] = {}
    todo = list(json_types.COMMANDS)
    while todo:
        new = [part for hint in keys_of(todo.pop(0)).values() for part in _named(hint) if part not in found]
        found |= dict.fromkeys(new)
        todo += new
    return [part for part in found if part not in json_types.COMMANDS]


def _named(hint: Any) -> Iterator[Any]:
    if is_typeddict(hint):
        yield hint
    for inner in get_args(hint):
        yield from _named(inner)
