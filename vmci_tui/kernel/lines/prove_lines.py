"""Say for each line of a text whether memory confirms it."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import Final

from vmci_tui.common.errors import Spent
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.by_symbols import symbol
from vmci_tui.kernel.facts.by_types import enumerator, length_of, offset_of, size_of
from vmci_tui.kernel.facts.running_kernel import Finding, NotKnown, RunningKernel
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
    return KernelFacts({key: _fact(kernel, key) for key in keys if key is not None})


def _fact(kernel: RunningKernel, key: bytes) -> Finding:
    try:
        return expected(kernel, key)
    except Spent as spent:
        return NotKnown(f"the kernel's types take too long to look up: {spent}")


def expected(kernel: RunningKernel, key: bytes) -> Finding:
    """Return what the line of this key should be."""
    found = by_memory(kernel, key)
    if found is not None:
        return found
    form = _FORM.match(key)
    return _RULES[form[1]](kernel, form[2]) if form else NotKnown("nothing in memory shows it")
