"""Test the symbol tables of all forms that kernels have had, written by an independent writer."""

from __future__ import annotations

import random

import pytest

from tests.kernel.notes import prstatus
from tests.kernel.symbols.kallsyms_writer import Kernel, paged, shift_of, symbols, write
from tests.proof.synthetic import Ram
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.image import places
from vmci_tui.kernel.image.known_place import is_known
from vmci_tui.kernel.symbols.read_symbols import KernelSymbols, read_symbols
from vmci_tui.kernel.symbols.table import Spot
from vmci_tui.proof.paging.walk import Paging, WalkEnd, walk

_FORMS = {
    "6.1 x86-64": Kernel(form="per-cpu"),
    "6.1 arm64": Kernel(),
    "6.2 x86-64": Kernel(form="per-cpu", sequences=True),
    "6.2 arm64": Kernel(sequences=True),
    "6.4 x86-64": Kernel(form="per-cpu", newer=True),
    "6.12 arm64": Kernel(newer=True, sequences=True),
    "7.0 x86-64": Kernel(form="self-relative", newer=True, sequences=True, paddr=0x2200000, base=0xFFFFFFFF81100000),
    "7.2 x86-64": Kernel(
        form="self-relative", newer=True, sequences=True, paddr=0x2200000, base=0xFFFFFFFF81100000, align=4
    ),
    "7.0 arm": Kernel(word=4, form="absolute", base=0xC0400000, newer=True, sequences=True),
    "6.1 s390x": Kernel(order="big", base=0x100000, paddr=0x800000),
    "6.12 s390x": Kernel(order="big", base=0x3FFE0000000, newer=True, sequences=True),
    "6.1 i386": Kernel(word=4, form="per-cpu", base=0xC1000000),
    "6.1 arm": Kernel(word=4, base=0xC0008000),
    "6.12 arm": Kernel(word=4, base=0xC0208000, newer=True),
    "4.19 arm64": Kernel(wide_markers=True),
    "4.19 s390x": Kernel(wide_markers=True, order="big", base=0x100000, paddr=0x800000),
    "4.4 x86-64": Kernel(wide_markers=True, form="absolute"),
    "4.4 arm": Kernel(word=4, form="absolute", base=0xC0008000),
}
_MACHINES = {"x86-64": "x86_64", "arm64": "aarch64"}


def _read(name: str, kernel: Kernel, count: int = 2500, notes: tuple[Note, ...] = ()) -> tuple[KernelSymbols, ...]:
    ram = Ram(kernel.order)
    write(ram, kernel, symbols(kernel, count))
    if kernel.form == "self-relative":
        notes = (*notes, *paged(ram, kernel))
    return read_symbols(_guest(ram, name, notes))


def _guest(ram: Ram, name: str, notes: tuple[Note, ...] = ()) -> Guest:
    machine = name.split()[-1]
    return ram.guest(_MACHINES.get(machine, machine))._replace(notes=notes)


@pytest.mark.parametrize("name", _FORMS)
@pytest.mark.parametrize("count", [2500, 2555, 2556])
def test_every_symbol_of_every_form_is_read(name: str, count: int) -> None:
    kernel = _FORMS[name]
    (found,) = _read(name, kernel, count)
    assert found.table.form == kernel.form and found.older is kernel.wide_markers and found.bits == 8 * kernel.word
    wanted = symbols(kernel, count)
    assert [(one.address, one.type.encode() + one.name) for one in found.table] == wanted
    assert found.banner == b"Linux version 6.1.0-test (me@here) (gcc 12) #1 SMP"


@pytest.mark.parametrize("name", _FORMS)
def test_empty_memory_around_the_table_is_not_taken_for_addresses(name: str) -> None:
    kernel = _FORMS[name]
    ram = Ram(kernel.order)
    ram.put(kernel.paddr, bytes(1 << 17))
    write(ram, kernel, symbols(kernel))
    notes = paged(ram, kernel) if kernel.form == "self-relative" else ()
    (found,) = read_symbols(_guest(ram, name, notes))
    assert found.table.form == kernel.form and found.table.address(b"_stext") == kernel.base


def test_a_name_and_an_address_are_looked_up() -> None:
    kernel = Kernel(form="per-cpu")
    (found,) = _read("6.1 x86-64", kernel)
    table = found.table
    (call,) = table.named(b"do_sys_call7")
    assert (call.address, call.type) == (kernel.base + 448, "t")
    assert table.spot(kernel.base + 450) == Spot(call, 2)
    start = table.spot(kernel.base)
    assert start is not None and start.symbol.name == b"_text", "the first of several, as the kernel says it"
    for outside in (0, 0x1000, kernel.base - 1, kernel.base + 0x300001, 1 << 64):
        assert table.spot(outside) is None
    assert table.named(b"nix") == () and table.address(b"_etext") == kernel.base + 0x200000


def test_the_kernel_that_a_cpu_runs_comes_first() -> None:
    first, second = Kernel(), Kernel(paddr=0x4000000, base=0xFFFF800008000000)
    ram = Ram()
    for kernel in (first, second):
        write(ram, kernel, symbols(kernel))
    old, new = read_symbols(_guest(ram, "6.1 arm64"))
    assert (old.paddr, new.paddr, old.runs, new.runs) == (first.paddr, second.paddr, "", "")
    cpu = prstatus("aarch64", pc=second.base + 0x88, pstate=0xC5)
    running, other = read_symbols(_guest(ram, "6.1 arm64", (cpu,)))
    assert (running.paddr, other.paddr) == (second.paddr, first.paddr) and "CPU 0" in running.runs


def test_page_tables_give_physical_addresses() -> None:
    kernel = Kernel(form="per-cpu", newer=True, paddr=0x2200000, base=0xFFFFFFFF81100000)
    ram = Ram()
    write(ram, kernel, symbols(kernel))
    (found,) = read_symbols(_guest(ram, "6.4 x86-64", paged(ram, kernel)))
    assert found.table.shift == shift_of(kernel) and found.runs
    assert found.table.paddr(kernel.base) == kernel.base - shift_of(kernel)
    assert found.table.paddr(0x1000) is None, "an offset in a CPU's area"


def test_a_cpu_leads_to_its_kernel_without_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(form="per-cpu", newer=True, paddr=0x2200000, base=0xFFFFFFFF81100000)
    ram = Ram()
    write(ram, kernel, symbols(kernel))
    assert not is_known(_guest(ram, "6.4 x86-64"), Vmcoreinfo(b"")), "no CPU, and the text does not say where it is"
    notes = paged(ram, kernel)
    assert is_known(_guest(ram, "6.4 x86-64", notes), Vmcoreinfo(b""))
    walks: list[int] = []

    def counted(guest: Guest, paging: Paging, root: int, va: int) -> WalkEnd:
        walks.append(va)
        return walk(guest, paging, root, va)

    monkeypatch.setattr(places, "walk", counted)
    assert not is_known(_guest(Ram(), "6.4 x86-64", notes), Vmcoreinfo(b""))
    assert len(walks) == 2, "the dump lacks the tables: the first and last address say so of all"


def test_memory_without_a_table_has_none() -> None:
    ram = Ram()
    assert read_symbols(ram.guest()) == ()
    ram.put(0x200000, b"Linux version 6.1.0 \n" + b"".join(bytes((digit, 0)) for digit in b"0123456789") * 20)
    assert read_symbols(ram.guest()) == ()


def test_a_part_that_the_dump_lacks_gives_no_table() -> None:
    kernel = Kernel()
    ram = Ram()
    write(ram, kernel, symbols(kernel))
    for page in sorted(ram.pages)[1:]:
        kept, ram.pages = ram.pages, {number: data for number, data in ram.pages.items() if number != page}
        for one in read_symbols(_guest(ram, "6.1 arm64")):
            assert len(one.table) == len(symbols(kernel)), "at most what follows the table is missing"
        ram.pages = kept


@pytest.mark.parametrize("seed", range(40))
def test_changed_bytes_raise_nothing_and_end(seed: int) -> None:
    rng = random.Random(seed)
    name = rng.choice(sorted(_FORMS))
    kernel = _FORMS[name]
    ram = Ram(kernel.order)
    write(ram, kernel, symbols(kernel, 2200))
    for _ in range(rng.choice((1, 8, 200))):
        page = ram.pages[rng.choice(sorted(ram.pages))]
        page[rng.randrange(len(page))] = rng.choice((0, 255, rng.randrange(256)))
    for one in read_symbols(_guest(ram, name)):
        assert len(list(one.table)) == len(one.table) <= 1 << 21


def test_a_banner_on_every_page_ends() -> None:
    ram = Ram()
    kernel = Kernel(paddr=0x10000000)
    write(ram, kernel, symbols(kernel))
    for number in range(200):
        ram.put(0x100000 + 4096 * number, b"Linux version 1\n")
    assert read_symbols(_guest(ram, "6.1 arm64")) == (), "after 64 places the search is given up"
