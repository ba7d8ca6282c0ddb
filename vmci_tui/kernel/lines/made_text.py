"""Make the vmcoreinfo text that a kernel would have written, from its own tables and variables in memory.

Every line has a fact; a line without one is left out, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import visible
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.content.image_data import image_data
from vmci_tui.kernel.facts.running_kernel import Fact, NotKnown, RunningKernel
from vmci_tui.kernel.lines.prove_lines import expected_of
from vmci_tui.kernel.lines.proved_line import written
from vmci_tui.knowledge.written_lines import FIRST, LAST, WrittenLine, written_lines

_NEEDED: Final = (b"OSRELEASE", b"PAGESIZE", b"SYMBOL(_stext)")
"""Lines without which no reader can use a text."""


class MadeLine(NamedTuple):
    """A line, and what in memory says so."""

    key: bytes
    value: bytes
    by: str


class LeftOut(NamedTuple):
    """A line that this version of Linux writes, and why it could not be made."""

    key: bytes
    why: str


class MadeText(NamedTuple):
    """A text that no kernel wrote: the lines that memory shows, in the order in which Linux writes them."""

    release: bytes
    lines: tuple[MadeLine, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def text(self) -> Vmcoreinfo:
        return Vmcoreinfo(b"".join(b"%s=%s\n" % (line.key, line.value) for line in self.lines))


def made_text(kernel: RunningKernel) -> MadeText | NotKnown:
    """Return the text, or why it cannot be made."""
    if kernel.release is None or kernel.version is None:
        return NotKnown("the kernel's banner does not say its release")
    rows = written_lines(kernel.machine, kernel.version)
    if not rows:
        known = " to ".join(f"{major}.{minor}" for major, minor in (FIRST, LAST))
        return NotKnown(f"which lines Linux {visible(kernel.release)} writes is not known: that is known of {known}")
    made: dict[bytes, MadeLine] = {}
    left: list[LeftOut] = []
    for row, found in _found(kernel, rows, made):
        if isinstance(found, MadeLine):
            made[row.key] = found
        elif found is not None:
            left.append(LeftOut(row.key, found.why))
    missing = next((key for key in _NEEDED if key not in made), None)
    if missing is not None:
        why = next((one.why for one in left if one.key == missing), "")
        return NotKnown(f"memory does not show {visible(missing)}, which every reader needs: {why}")
    return MadeText(kernel.release, tuple(made.values()), tuple(left))


def _found(
    kernel: RunningKernel, rows: tuple[WrittenLine, ...], made: dict[bytes, MadeLine]
) -> Iterator[tuple[WrittenLine, MadeLine | NotKnown | None]]:
    """Yield each row with its line, or why it has none; None for one that this kernel's configuration leaves out."""
    expected = expected_of(kernel)
    facts = {row.key: expected(row.key) for row in rows}
    for row in rows:
        fact = facts[row.key]
        needed = facts.get(row.needs)
        if (
            (row.function and not kernel.symbols(row.function))
            or (isinstance(needed, NotKnown) and needed.absent)
            or (row.string and not _has_string(kernel, row.string))
        ):
            yield row, None
        elif isinstance(fact, Fact) and isinstance(needed, NotKnown):
            yield row, NotKnown(f"it is only written with {visible(row.needs)}, which memory does not show")
        elif isinstance(fact, NotKnown):
            yield row, None if fact.absent else fact
        elif fact.or_else:
            yield row, NotKnown("several values fit")
        else:
            value = fact.value if isinstance(fact.value, bytes) else written(row.key, b"", fact.value, fact.form)
            yield row, MadeLine(row.key, value, fact.by)


def _has_string(kernel: RunningKernel, string: bytes) -> bool:
    data = image_data(kernel)
    return data is not None and b"\0%b\0" % string in data.raw
