"""`dataclass`: a class statement with fields makes a class with the methods that follow from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vmci_tui.common.records.named_tuples import LEFT_OUT, Factory, all_values, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace

_put: Final = object.__setattr__


class _Field:
    """A field of a data class."""

    def __init__(self, default: object, compare: bool = True, repr: bool = True) -> None:
        self.default, self.compare, self.repr = default, compare, repr


class _Fields:
    """The fields of a data class, those of the classes that it extends first."""

    def __init__(self, fields: dict[str, _Field]) -> None:
        self.by_name = fields
        self.names = tuple(fields)
        self.defaults = {name: one.default for name, one in fields.items() if one.default is not LEFT_OUT}
        self.compared = tuple(name for name, one in fields.items() if one.compare)
        self.shown = tuple(name for name, one in fields.items() if one.repr)


def field_names(cls: type) -> tuple[str, ...]:
    """Return the names of a data class's fields, in the order of its arguments."""
    fields: _Fields = cls.__record_fields__  # type: ignore[attr-defined]
    return fields.names


def _set_fields(self: Any, /, *given: Any, **named: Any) -> None:
    fields = self.__record_fields__
    if named or len(given) != len(fields.names):
        given = all_values(type(self), fields.names, fields.defaults, given, named)
    for name, value in zip(fields.names, given, strict=True):
        _put(self, name, value)


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, name) for name in self.__record_fields__.compared])


def _equals(self: Any, other: object) -> Any:
    return _compared(self) == _compared(other) if type(self) is type(other) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _repr(self: Any) -> str:
    return shown(self, self.__record_fields__.shown)


def _refuse_to_set(self: object, name: str, value: object) -> None:
    raise AttributeError(f"cannot assign to {name!r}")


def _refuse_to_delete(self: object, name: str) -> None:
    raise AttributeError(f"cannot delete {name!r}")


_METHODS: Final = {"__init__": _set_fields, "__eq__": _equals, "__repr__": _repr}
_FROZEN: Final = {"__hash__": _hash, "__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}


def _with_fields(cls: Any, frozen: bool) -> Any:
    """Give a class its methods, unless its body has them."""
    body = cls.__dict__
    fields = dict(cls.__record_fields__.by_name) if hasattr(cls, "__record_fields__") else {}
    for name, kind in body.get("__annotations__", {}).items():
        if kind.startswith("ClassVar"):
            continue
        said = body.get(name, LEFT_OUT)
        fields[name] = said if isinstance(said, _Field) else _Field(said)
        if isinstance(said, _Field):
            delattr(cls, name)
    cls.__record_fields__ = _Fields(fields)
    for name, method in {**_METHODS, **(_FROZEN if frozen else {"__hash__": None})}.items():
        if name not in body or (name == "__hash__" and body[name] is None):
            setattr(cls, name, method)
    return cls


if not TYPE_CHECKING:

    def dataclass(cls: type | None = None, /, *, frozen: bool = False) -> Any:
        """Make a data class of a class; what is frozen refuses to be changed, and has a hash."""
        return (lambda cls: _with_fields(cls, frozen)) if cls is None else _with_fields(cls, frozen)

    def field(
        *,
        default: object = LEFT_OUT,
        default_factory: Callable[[], object] | None = None,
        compare: bool = True,
        repr: bool = True,
    ) -> Any:
        """Describe a field."""
        return _Field(default if default_factory is None else Factory(default_factory), compare, repr)

    def replace(record: Any, /, **changes: Any) -> Any:
        """Return a record with other values for some fields. Raises TypeError for what is not a field."""
        return type(record)(**{name: getattr(record, name) for name in record.__record_fields__.names} | changes)
