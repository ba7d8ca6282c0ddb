"""Named tuples and data classes of the program, compared with those of the standard library."""

from __future__ import annotations

import dataclasses
import pickle
import typing
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar

import pytest

from vmci_tui.common import records
from vmci_tui.common.records import field_names


class _Standard(typing.NamedTuple):
    """A place."""

    at: int
    length: int = 1
    how: str = ""


class Own(records.NamedTuple):
    """A place."""

    at: int
    length: int = 1
    how: str = ""

    @property
    def end(self) -> int:
        return self.at + self.length


class Longer(Own):
    """A class that extends a named tuple."""

    __slots__ = ()


@dataclasses.dataclass(frozen=True)
class _StandardData:
    at: int
    kind: ClassVar = "data"
    words: tuple[str, ...] = ()
    found: list[int] = dataclasses.field(default_factory=list, compare=False)
    hidden: int = dataclasses.field(default=3, repr=False)


@records.dataclass(frozen=True)
class OwnData:
    """Data."""

    at: int
    kind: ClassVar = "data"
    words: tuple[str, ...] = ()
    found: list[int] = records.field(default_factory=list, compare=False)
    hidden: int = records.field(default=3, repr=False)

    @cached_property
    def twice(self) -> int:
        return 2 * self.at


@records.dataclass(frozen=True)
class MoreData(OwnData):
    kind: ClassVar = "more"
    more: str = "x"


@records.dataclass
class Changing:
    at: int
    seen: int = 0


_CALLS: list[Callable[[Any], Any]] = [
    lambda made: made(1),
    lambda made: made(1, 2),
    lambda made: made(1, 2, "c"),
    lambda made: made(at=1),
    lambda made: made(1, how="c"),
    lambda made: made(how="c", at=1, length=5),
    lambda made: made(),
    lambda made: made(1, 2, "c", 4),
    lambda made: made(1, at=2),
    lambda made: made(1, other=2),
    lambda made: made(length=2),
    lambda made: made(1)._replace(length=7),
    lambda made: made(1)._replace(other=7),
    lambda made: made._make([1, 2, "c"]),
    lambda made: made._make([1, 2]),
    lambda made: made(1)._asdict(),
    lambda made: (made._fields, made._field_defaults, made.__match_args__, made.__slots__, made.__doc__),
    lambda made: (made(1) == (1, 1, ""), hash(made(1)), made(1) < made(2), made(3)[0], len(made(3))),
    lambda made: setattr(made(1), "at", 2),
    lambda made: setattr(made(1), "other", 2),
]


def _outcome(call: Callable[[Any], Any], made: Any) -> object:
    try:
        found = call(made)
    except (TypeError, ValueError) as error:
        return type(error)
    except AttributeError:  # the standard library has a class of its own below this
        return AttributeError
    return tuple(found) if isinstance(found, tuple) else found


@pytest.mark.parametrize("call", _CALLS)
def test_a_named_tuple_is_called_as_a_standard_one(call: Callable[[Any], Any]) -> None:
    assert _outcome(call, Own) == _outcome(call, _Standard)


def test_a_named_tuple_is_shown_extended_and_sent() -> None:
    made = Own(1, how="c")
    assert repr(made) == "Own(at=1, length=1, how='c')"
    assert (made.end, isinstance(made, tuple), Own.__name__, Own.__module__) == (2, True, "Own", __name__)
    longer = Longer(1, 2)
    assert (type(longer._replace(at=3)), longer.end, repr(longer)[:6]) == (Longer, 3, "Longer")
    assert [type(item) for item in pickle.loads(pickle.dumps([made, longer]))] == [Own, Longer]
    match made:
        case Own(at, length):
            assert (at, length) == (1, 1)


_DATA_CALLS: list[Callable[[Any], Any]] = [
    lambda made: made(1),
    lambda made: made(1, ("a",), [2], 4),
    lambda made: made(words=("a",), at=1),
    lambda made: made(),
    lambda made: made(1, (), [], 3, 5),
    lambda made: made(1, at=2),
    lambda made: made(1, kind=2),
    lambda made: setattr(made(1), "at", 2),
    lambda made: delattr(made(1), "at"),
    lambda made: (made(1) == made(1), made(1) == made(2), made(1) == 1, made(1) == made(1, found=[5])),
    lambda made: hash(made(1)) == hash(made(1, found=[5])),
    lambda made: made(1).found is made(1).found,
]


@pytest.mark.parametrize("call", _DATA_CALLS)
def test_a_data_class_is_called_as_a_standard_one(call: Callable[[Any], Any]) -> None:
    ours, theirs = (_outcome(call, made) for made in (OwnData, _StandardData))
    if isinstance(ours, OwnData):
        assert repr(ours).partition("(")[2] == repr(theirs).partition("(")[2]
        ours, theirs = ({name: getattr(one, name) for name in field_names(OwnData)} for one in (ours, theirs))
    assert ours == theirs


def test_a_data_class_is_replaced_extended_and_sent() -> None:
    made = OwnData(1, hidden=9)
    assert made.twice == 2
    other = records.replace(made, at=4)
    assert (other.at, other.hidden, other.twice, made.at) == (4, 9, 8, 1)
    with pytest.raises(TypeError):
        _replace(made, other=1)
    more = MoreData(1, more="y")
    assert (field_names(MoreData), more.kind) == ((*field_names(OwnData), "more"), "more")
    assert made != more and more == MoreData(1, more="y")
    assert pickle.loads(pickle.dumps([made, more])) == [made, more]


_replace: Any = records.replace


def test_what_is_not_frozen_changes_and_has_no_hash() -> None:
    made = Changing(1)
    made.seen += 1
    assert made == Changing(1, 1)
    with pytest.raises(TypeError):
        hash(made)
