"""Tables of rules: one row a rule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from vmci_tui.common.span import Span
from vmci_tui.readers.rule import Fault, Reading, Rule, RuleHit, Stage
from vmci_tui.readers.version import Version

R = TypeVar("R", bound=Reading)


def _without_fields(reading: object, name: str) -> Span:
    raise KeyError(name)


def _without_faults(reading: object, name: str) -> RuleHit | None:
    raise KeyError(name)


class NamedFaults(ABC):
    """A reading that finds its faults itself; the kind of each is the name of its rule."""

    @abstractmethod
    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong for the program; empty words are those of the rule."""

    @cached_property
    def _hits(self) -> Mapping[str, RuleHit]:
        return {fault.kind: RuleHit(fault.span, fault.words or None) for fault in self.faults()}

    def fault_of(self, rule: str) -> RuleHit | None:
        """Return the fault of a rule."""
        return self._hits.get(rule)


@dataclass(frozen=True)
class RuleRows(Generic[R]):
    """Makes the rules of one program from rows."""

    source: str
    """The start of each rule's source: the program, its version, the file."""
    field: Callable[[R, str], Span] = _without_fields
    """Returns the bytes of the header field with this name."""
    fault: Callable[[R, str], RuleHit | None] = _without_faults
    """Returns the fault with the name of a rule, found by the reading itself."""

    def __call__(
        self,
        cause: str,
        stage: Stage,
        name: str,
        function: str,
        words: str,
        why: str,
        *,
        holds: Callable[[R], bool] | None = None,
        where: str | Callable[[R], Span | RuleHit | None] | None = None,
        says: Callable[[R], str] | None = None,
        refuses: bool = True,
        observed: bool = True,
        since: Version | None = None,
        until: Version | None = None,
    ) -> Rule[R]:
        """Make a rule that fires if `holds` is true; without `holds`, if `where` finds bytes.

        Without both it fires if the reading has a fault of its name.
        `where` returns the bytes concerned, or the whole hit; or it is the name of a field of the header.
        `words` is an example of what the program prints; `says` returns what it prints for this file.
        """

        def check(r: R) -> RuleHit | None:
            if holds is None and where is None:
                return self.fault(r, name)
            if holds is not None and not holds(r):
                return None
            found = self.field(r, where) if isinstance(where, str) else where(r) if where else None
            if isinstance(found, RuleHit) or (found is None and holds is None):
                return found
            return RuleHit(found, None if says is None else says(r))

        source = self.source + function
        return Rule(name, cause, stage, words, source, check, why, refuses, observed, since, until)
