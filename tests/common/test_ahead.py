"""Test items that are made in a thread ahead of their user."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.limits import PATIENCE
from vmci_tui.common.ahead import ahead


def running() -> bool:
    return any(thread.name == "ahead" for thread in threading.enumerate())


def test_the_items_come_in_order_and_few_exist_at_a_time() -> None:
    made: list[int] = []

    def make() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    for number in ahead(make(), 3):
        assert number == made[number] and len(made) <= number + 3
    assert len(made) == 100 and not running()


def test_it_is_ahead() -> None:
    second = threading.Event()

    def make() -> Iterator[int]:
        yield 1
        second.set()
        yield 2

    for number in ahead(make(), 2):
        assert number == 2 or second.wait(PATIENCE)


def test_an_error_comes_after_the_items_before_it() -> None:
    def make() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    items = ahead(make(), 2)
    assert next(items) == 1
    with pytest.raises(ZeroDivisionError):
        next(items)
    assert not running()


def test_closing_ends_the_thread() -> None:
    items = ahead(iter(range(1000)), 2)
    assert next(items) == 0 and running()
    items.close()
    assert not running()
