"""`NamedTuple`: a class statement with fields makes a class of tuples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import NamedTuple as NamedTuple

LEFT_OUT: Final[Any] = object()
"""Stands for a value that is not given."""


class Factory:
    """Makes the value of a field that is left out."""

    def __init__(self, make: Callable[[], object]) -> None:
        self.make = make


def all_values(
    kind: type, names: tuple[str, ...], defaults: Mapping[str, object], given: tuple[object, ...], named: dict[str, Any]
) -> tuple[object, ...]:
    """Return the value of each field, as for a call of `kind` with arguments. Raises TypeError."""
    values = list(given)
    for name in names[len(given) :]:
        value = named.pop(name, LEFT_OUT)
        if value is LEFT_OUT:
            value = defaults.get(name, LEFT_OUT)
            if isinstance(value, Factory):
                value = value.make()
        if value is LEFT_OUT:
            raise TypeError(f"{kind.__name__}() lacks the argument {name!r}")
        values.append(value)
    if named or len(values) > len(names):
        what = f"takes no argument {next(iter(named))!r} here" if named else f"takes {len(names)} arguments at most"
        raise TypeError(f"{kind.__name__}() {what}")
    return tuple(values)


def shown(record: object, names: Iterable[str]) -> str:
    """Return a record as code that makes it."""
    return f"{type(record).__qualname__}({', '.join(f'{name}={getattr(record, name)!r}' for name in names)})"


class _Tuple(tuple[Any, ...]):
    """What all named tuples have."""

    __slots__ = ()
    _fields: tuple[str, ...]

    @classmethod
    def _make(cls, values: Iterable[Any]) -> Any:
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"{cls.__name__} has {len(cls._fields)} fields, not {len(made)}")
        return made

    def _replace(self, /, **changes: Any) -> Any:
        made = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise ValueError(f"{type(self).__name__} has no field {next(iter(changes))!r}")
        return made

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def __repr__(self) -> str:
        return shown(self, self._fields)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)


if not TYPE_CHECKING:
    from collections import _tuplegetter

    class _Maker(type):
        """Makes a class of a class statement with fields."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, body)
            names = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in names if field in body}
            body |= {field: _tuplegetter(number, "") for number, field in enumerate(names)}
            body |= {"__slots__": (), "_fields": names, "_field_defaults": defaults, "__match_args__": names}
            return type(name, (_Tuple,), body | {"__new__": _new(names, defaults)})

    class NamedTuple(metaclass=_Maker):
        """The base in a class statement with fields; it is not a base of the class that is made."""


def _new(names: tuple[str, ...], defaults: dict[str, object]) -> Callable[..., Any]:
    """Return the function that makes tuples of a class."""
    make, count, last = tuple.__new__, len(names), tuple(defaults.values())
    needed = count - len(last)

    def new(cls: Any, /, *given: Any, **named: Any) -> Any:
        if len(given) == count and not named:
            return make(cls, given)
        if needed <= len(given) < count and not named:
            return make(cls, given + last[len(given) - needed :])
        return make(cls, all_values(cls, names, defaults, given, named))

    return new
