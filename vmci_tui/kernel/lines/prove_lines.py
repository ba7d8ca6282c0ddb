"""Say for each line of a text whether memory confirms it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from itertools import islice
from typing import Final

from vmci_tui.common.errors import Spent
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.content.content_lines import content_lines
from vmci_tui.kernel.facts.by_symbols import symbol
from vmci_tui.kernel.facts.by_types import enumerator, length_of, offset_of, size_of
from vmci_tui.kernel.facts.constants import constant_of
from vmci_tui.kernel.facts.running_kernel import Fact, Finding, NotKnown, RunningKernel
from vmci_tui.kernel.lines.by_memory import by_memory
from vmci_tui.kernel.lines.proved_line import KernelFacts, ProvedLine

_FORM: Final = re.compile(rb"(SYMBOL|SIZE|OFFSET|LENGTH|NUMBER)\((.+)\)\Z", re.S)
_MOST: Final = 4096
"""Keys that are looked up; Linux writes about 150."""
_RULES: Final[dict[bytes, Callable[[RunningKernel, bytes], Finding]]] = {
    b"SYMBOL": symbol,
    b"SIZE": size_of,
    b"OFFSET": offset_of,
    b"LENGTH": length_of,
    b"NUMBER": enumerator,
}


def prove_lines(kernel: RunningKernel, text: Vmcoreinfo) -> tuple[ProvedLine, ...]:
    """Compare each line that has a key with what the kernel's tables and variables say."""
    return facts_of(kernel, text).lines(text)


def facts_of(kernel: RunningKernel, text: Vmcoreinfo) -> KernelFacts:
    """Look up what each line of a text should be."""
    keys = islice(dict.fromkeys(line.key for line in text.lines if line.key), _MOST)
    expected = expected_of(kernel)
    return KernelFacts({key: _fact(expected, key) for key in keys if key is not None})


def _fact(expected: Callable[[bytes], Finding], key: bytes) -> Finding:
    try:
        return expected(key)
    except Spent as spent:
        return NotKnown(f"the kernel's types take too long to look up: {spent}")


def expected_of(kernel: RunningKernel) -> Callable[[bytes], Finding]:
    """Return the function that returns what the line of a key should be.

    What its tables do not show is looked for in the content of its data, once for all keys; then its version is asked.
    """
    content = cache(partial(content_lines, kernel))

    def expected(key: bytes) -> Finding:
        found = _by_tables(kernel, key)
        if isinstance(found, Fact) or found.absent:
            return found
        return content().get(key) or constant_of(kernel, key) or found

    return expected


def _by_tables(kernel: RunningKernel, key: bytes) -> Finding:
    found = by_memory(kernel, key)
    if found is not None:
        return found
    form = _FORM.match(key)
    return _RULES[form[1]](kernel, form[2]) if form else NotKnown("nothing in memory shows it")
