"""Test kernels in memory that was changed: nothing is raised, and each reading ends soon."""

from __future__ import annotations

import lzma
from functools import cache
from random import Random

import pytest

from tests.kernel.hostile.changes import change_pages, changed_file
from tests.kernel.hostile.made_kernel import FORMS, Made, made
from tests.kernel.hostile.measured import SECONDS, seconds
from tests.kernel.log.rings import PLACES, written
from tests.kernel.log.test_printk_ring import lines
from tests.paths import DATA
from vmci_tui.common.errors import VmciError
from vmci_tui.containers import open_dump
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.backtrace.trace import suspect, traces_of
from vmci_tui.kernel.cpus.survey import survey
from vmci_tui.kernel.facts.running_kernel import NotKnown
from vmci_tui.kernel.lines.gather import running_kernel
from vmci_tui.kernel.lines.prove_lines import prove_lines
from vmci_tui.kernel.log.read_log import read_log
from vmci_tui.kernel.symbols.read_symbols import read_symbols
from vmci_tui.layers.file import BytesSource

_MADE = [*FORMS, *(f"ring {number}" for number in range(len(PLACES)))]
_REAL = sorted(path.name for path in (DATA / "kernels").glob("*.elf.xz"))


def _read(guest: Guest, text: Vmcoreinfo) -> int:
    """Read all that can be read of a kernel; return how many of the lines have a verdict."""
    kernels = read_symbols(guest, text)
    found = survey(guest, text)
    for kernel in kernels:
        assert len(kernel.table) == len(list(kernel.table))
        suspect(found, traces_of(found.cpus, [kernel.table] * len(found.cpus)))
    read_log(text, guest)
    running = running_kernel(guest, text)
    proved = [] if isinstance(running, NotKnown) else prove_lines(running, text)
    return sum(line.verdict != "unknown" for line in proved)


def _in_time(guest: Guest, text: Vmcoreinfo) -> None:
    assert seconds(lambda: _read(guest, text)) < SECONDS


@cache
def _made(name: str) -> Made:
    if name in FORMS:
        return made(name)
    place = PLACES[int(name.split()[1])]
    ring, text = written(place, lines(50))
    return Made(ring.ram, place.machine, (), Vmcoreinfo(text))


@cache
def _unpacked(name: str) -> bytes:
    return lzma.decompress((DATA / "kernels" / name).read_bytes())


def _change_made(seed: int) -> None:
    chosen = Random(seed)
    kernel = _made(chosen.choice(_MADE))
    pages = {number: bytearray(page) for number, page in kernel.ram.pages.items()}
    change_pages(pages, kernel.ram.order, chosen)
    _in_time(kernel.guest(pages), kernel.text)


def _change_real(seed: int) -> None:
    chosen = Random(seed)
    name = chosen.choice(_REAL)
    data = changed_file(_unpacked(name), "big" if "s390x" in name else "little", chosen)
    try:
        dump = open_dump(BytesSource(data))
    except VmciError:
        return
    if dump is not None:
        _in_time(guest_of(dump), _made("x86_64").text)


@pytest.mark.parametrize("name", FORMS)
def test_what_was_made_is_read_when_nothing_is_changed(name: str) -> None:
    kernel = _made(name)
    guest = kernel.guest(kernel.ram.pages)
    (found,) = read_symbols(guest, kernel.text)
    assert _read(guest, kernel.text) >= (2 if kernel.ram.order == "big" else 5), "there are no types of this order"
    if kernel.machine == "x86_64":
        (trace,) = traces_of(survey(guest, kernel.text).cpus, [found.table])
        assert len(trace.stack) > 50


@pytest.mark.parametrize("part", range(8))
def test_changed_kernels_that_were_made(part: int) -> None:
    for seed in range(25):
        _change_made(100 * part + seed)


@pytest.mark.parametrize("part", range(8))
def test_changed_kernels_of_booted_guests(part: int) -> None:
    for seed in range(2):
        _change_real(100 * part + seed)


@pytest.mark.long
@pytest.mark.parametrize("part", range(200))
def test_two_hundred_thousand_changed_kernels(part: int) -> None:
    for seed in range(part * 1000, part * 1000 + 1000):
        (_change_real if seed % 20 == 0 else _change_made)(1_000_000 + seed)
