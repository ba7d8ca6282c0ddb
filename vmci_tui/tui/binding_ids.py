"""The ids by which settings give keys to actions."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator

from textual.binding import Binding
from textual.dom import DOMNode


def unknown_ids(names: Iterable[str]) -> list[str]:
    """Return the names that are not the id of a key, sorted; import all screens where that must be looked up."""
    wanted = set(names) - set(_loaded())
    if wanted:
        for module in pkgutil.walk_packages(importlib.import_module("vmci_tui.tui").__path__, "vmci_tui.tui."):
            importlib.import_module(module.name)
        wanted -= set(_loaded())
    return sorted(wanted)


def _loaded(base: type[DOMNode] = DOMNode) -> Iterator[str]:
    """The ids of all classes that are imported by now."""
    yield from (item.id for item in base.__dict__.get("BINDINGS", ()) if isinstance(item, Binding) and item.id)
    for node in base.__subclasses__():
        yield from _loaded(node)
