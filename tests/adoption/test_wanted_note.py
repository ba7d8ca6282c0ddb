"""Test memory with the notes of several kernels: one that crashed, the one that saves its dump, another guest's."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import pytest

from tests.dumps.factory import TEXT_64, note
from tests.kernel.notes import prstatus, qemu_state
from tests.kernel.symbols.kallsyms_writer import Kernel, symbols, write
from tests.proof.synthetic import LINK, MAP, PAGE, Ram
from tests.search.test_find_notes import guest_with
from vmci_tui.adoption import choose as adopt
from vmci_tui.adoption.kernel_symbols import placed_symbols
from vmci_tui.adoption.made_note import made_note
from vmci_tui.adoption.rank import choose, rank_candidates, why_not
from vmci_tui.adoption.text_to_read import text_to_read
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import Guest
from vmci_tui.kernel.symbols.read_symbols import CRASHED
from vmci_tui.search.candidate import Proof
from vmci_tui.tui.screens.candidates_screen import row_of

_HEADER = 0x260000
"""Where elfcorehdr_addr is in an image."""
_NOT_SET = (1 << 64) - 1


class _Memory(NamedTuple):
    guest: Guest
    crashed: bytes
    """The text of the kernel that crashed."""
    saves: bytes
    """That of the kernel that runs since."""


def _kernel(ram: Ram, base: int, slide: int, header: int) -> bytes:
    """Write a kernel with its table of symbols; return its text."""
    start = LINK + slide
    kernel = Kernel(form="per-cpu", paddr=base + start + 0x300000, base=MAP + start)
    named = [(kernel.base + _HEADER, b"Delfcorehdr_addr"), (kernel.base + 0x400000, b"Dinit_top_pgt")]
    write(ram, kernel, sorted(symbols(kernel) + named, key=lambda one: one[0]))
    ram.word(base + start + _HEADER, header)
    return ram.kernel(base, slide).text


def _memory(base: int, header: int, more: bool = False) -> _Memory:
    """Make the memory; `base` is the phys_base of the kernel that runs, `more`: a third kernel is whole in it too."""
    ram = Ram()
    crashed = _kernel(ram, 0, 0, _NOT_SET) + b"CRASHTIME=1700000000\n"
    saves = _kernel(ram, base, 0x6000000, header)
    texts = [saves, crashed, *([_kernel(ram, 0, 0x9000000, _NOT_SET)] if more else [])]
    for number, text in enumerate(texts):
        ram.put(0x100000 + number * 2 * PAGE, note(text))
    ram.put(0x200000, saves)
    root = base + LINK + 0x6000000 + 0x400000
    notes = (prstatus("x86_64", rip=MAP + LINK + 0x6001004, cs=0x10), qemu_state(cr0=0x80050033, cr3=root, cr4=0x20))
    return _Memory(ram.guest()._replace(notes=notes), crashed, saves)


@pytest.mark.parametrize("base", [0, 0x1000000])
def test_the_note_of_the_kernel_that_crashed_comes_first(base: int) -> None:
    """Base 0: both images are as far from their addresses, as in the linear maps of ppc64 and i386."""
    guest, crashed, saves = _memory(base, 0x7000000)
    first, second = (item for item in adopt.search(guest, no_progress) if item.proof.proved)
    assert (first.candidate.text, second.candidate.text) == (crashed, saves)
    assert choose((first, second)) is first
    assert f"{second.candidate.paddr:#x}" in first.why and f"{first.candidate.paddr:#x}" in second.why
    chosen = text_to_read(None, guest, no_progress).text
    assert chosen is not None and chosen.text == crashed


def test_symbols_and_a_made_note_are_of_the_kernel_that_crashed_too() -> None:
    guest, crashed, _ = _memory(0x1000000, 0x7000000)
    (first, second), text = placed_symbols(None, guest, no_progress)
    assert text is not None and text.text == crashed
    assert first.runs == CRASHED and second.runs
    assert (first.table.address(b"_stext"), second.table.address(b"_stext")) == (MAP + LINK, MAP + LINK + 0x6000000)
    assert made_note(guest, text, no_progress).made.text.get(b"SYMBOL(_stext)") == b"%x" % (MAP + LINK)


@pytest.mark.parametrize(("header", "more"), [(_NOT_SET, False), (0x7000000, True)])
def test_a_question_stays_where_the_kernels_do_not_say_which_one_is_wanted(header: int, more: bool) -> None:
    """A kernel that was not started by a crash; a third one, which a kexec may have left."""
    guest, *_ = _memory(0x1000000, header, more)
    assert "memory proves two that differ" in why_not(adopt.search(guest, no_progress))


def test_the_lowcore_of_s390x_says_which_of_two_twins_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another guest's memory may hold the note of the same kernel: no table says which of them is right."""
    texts = [TEXT_64, TEXT_64 + b"SYMBOL(mem_section)=12345\n", TEXT_64 + b"CRASHTIME=1700000000\n"]
    places = [(0x3000 + number * 0x2000, note(text)) for number, text in enumerate(texts)]
    monkeypatch.setattr(adopt, "rank_candidates", partial(rank_candidates, prove=lambda *_: Proof(True, "it fits")))
    for number in (0, 1):
        lowcore = (0xE0C, places[number][0].to_bytes(8, "big"))
        named, other = adopt.search(guest_with(lowcore, *places[:2])._replace(machine="s390x"), no_progress)
        assert choose((named, other)) is named and (named.candidate.text, named.own) == (texts[number], True)
    crashed = adopt.search(guest_with(lowcore, *places[1:])._replace(machine="s390x"), no_progress)
    assert choose(crashed) is None, "the kernel that runs may save the dump of the one that crashed"


def test_the_list_of_the_app_says_which_kernel_crashed_and_which_runs() -> None:
    guest, *_ = _memory(0x1000000, 0x7000000)
    first, second = (row_of(item) for item in adopt.search(guest, no_progress) if item.proof.proved)
    assert "crashed" in "".join(text for text, _ in first) and "runs" in "".join(text for text, _ in second)
