"""Test that a cut keeps all of a kernel's tables that is read again, and nothing else of them."""

from __future__ import annotations

import pytest

from tests.kernel.symbols.kallsyms_writer import Kernel, paged, symbols, write
from tests.proof.synthetic import Ram
from vmci_tui.cutting.kernel_tables import banner_place, symbols_places
from vmci_tui.kernel.image.places import read_with_holes
from vmci_tui.kernel.symbols.read_symbols import read_symbols

_COUNT = 2500
_SEQUENCES = b"".join(number.to_bytes(3, "big") for number in range(_COUNT))
"""The numbers of the names by their alphabet, as the writer writes them."""


@pytest.mark.parametrize(
    "kernel",
    [
        Kernel(form="per-cpu", sequences=True),
        Kernel(form="relative", newer=True, sequences=True),
        Kernel(form="absolute", wide_markers=True),
    ],
    ids=["6.2", "6.4", "before 4.20"],
)
def test_the_symbols_are_read_again_without_the_order_of_their_names(kernel: Kernel) -> None:
    ram, kept = Ram(), Ram()
    write(ram, kernel, symbols(kernel, _COUNT))
    notes = paged(ram, kernel)
    guest = ram.guest()._replace(notes=notes)
    (found,) = read_symbols(guest)
    parts = symbols_places(found)
    for start, end in (banner_place(found), *parts):
        kept.put(start, read_with_holes(guest, start, end - start))
    paged(kept, kernel)
    (again,) = read_symbols(kept.guest()._replace(notes=notes))
    assert list(again.table) == list(found.table) and again.tables == found.tables
    assert not any(_SEQUENCES[300:600] in read_with_holes(guest, start, end - start) for start, end in parts)
