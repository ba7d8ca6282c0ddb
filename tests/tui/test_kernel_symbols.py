"""Test that addresses of the kernel are shown as symbols: in the hex view, the memory screen and the structure."""

from __future__ import annotations

from collections.abc import Callable

from textual.pilot import Pilot

from tests.kernel.symbols.kallsyms_writer import names_of
from tests.tui.driving import main_screen, running, said, settled, shown, until
from vmci_tui.adoption.kernel_facts import KernelFound
from vmci_tui.kernel.cpus.cpu import cpus_of
from vmci_tui.kernel.symbols.modules import Module, Modules, ModuleSymbol
from vmci_tui.kernel.symbols.table import SymbolTable
from vmci_tui.tui.companions.inspector import Inspector
from vmci_tui.tui.panes.hex import BytesPane
from vmci_tui.tui.session import Session
from vmci_tui.tui.widgets.structure_list import StructureList

Sample = Callable[[str], str]
_OFFSET = 0x11
"""From the symbol that is made up to the program counter of the first CPU."""


async def _learned(pilot: Pilot[None], in_module: bool = False) -> tuple[Session, int]:
    """Let the app know a symbol just before the first CPU's program counter; return that address too."""
    session = main_screen(pilot).session
    dump = session.document.dump
    assert dump is not None
    address = next(cpu.role("pc") for cpu in cpus_of(dump.notes, dump.machine) if cpu.role("pc"))
    assert address is not None
    paddr = dump.guest_memory.ranges[0].paddr
    names, addresses = (
        names_of((b"T_text", b"tidle", b"D_end")),
        (address - _OFFSET - 1, address - _OFFSET, address + 64),
    )
    table = SymbolTable(names, addresses, "absolute", address - _OFFSET - paddr)
    if in_module:
        start = address - address % 0x1000
        table = SymbolTable(names_of((b"T_text", b"D_end")), (1, 2), "absolute", None)
        symbols = (ModuleSymbol(address - _OFFSET, b"idle"),)
        table.modules = Modules((Module(b"loop", ((start, 0x2000),), symbols),))
    session.learn(KernelFound(table, "little", 8, None))
    await settled(pilot)
    return session, address


async def test_registers_are_symbols_in_the_structure(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(120, 36)) as pilot:
        session, address = await _learned(pilot)
        await pilot.press("S")
        await until(pilot, lambda: pilot.app.screen.query(StructureList))
        await settled(pilot)
        at = session.document.read(0, 0x1000).find(address.to_bytes(8, "little"))
        pilot.app.screen.query_one(BytesPane).arrive(at)
        await until(pilot, lambda: f"idle+{_OFFSET:#x}" in shown(pilot))
        assert f"idle+{_OFFSET:#x}" in shown(pilot)


async def test_addresses_in_modules_are_named_too(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(120, 36)) as pilot:
        session, address = await _learned(pilot, in_module=True)
        screen, words = main_screen(pilot), f"idle+{_OFFSET:#x} [loop]"
        at = session.document.read(0, 0x1000).find(address.to_bytes(8, "little"))
        await pilot.press("5", "I")
        await until(pilot, lambda: screen.query(Inspector))
        screen.query_one("#hex", BytesPane).arrive(at)
        await until(pilot, lambda: words in shown(pilot))
        screen.query_one(Inspector).focus()
        await pilot.press("home", *["down"] * 9, "enter")
        await until(pilot, lambda: f"--vaddr {address:#x}" in said(pilot))
        await pilot.press("S")
        await until(pilot, lambda: pilot.app.screen.query(StructureList))
        await until(pilot, lambda: words in shown(pilot))
        assert words in shown(pilot)


async def test_places_in_memory_are_symbols(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(120, 36)) as pilot:
        session, _ = await _learned(pilot)
        assert session.document.dump is not None
        paddr = session.document.dump.guest_memory.ranges[0].paddr
        await pilot.press("M")
        await settled(pilot)
        pilot.app.screen.query_one(BytesPane).arrive(paddr + 5)
        await until(pilot, lambda: "in idle+0x5" in shown(pilot))
        await pilot.press("escape")
        main_screen(pilot).action_pane("hex")
        offset = session.document.layout.memory.offset_of(paddr + 6)
        assert offset is not None
        main_screen(pilot).query_one("#hex", BytesPane).arrive(offset)
        await until(pilot, lambda: "in idle+0x6" in shown(pilot))
        assert "in idle+0x6" in shown(pilot)


async def test_a_number_that_is_an_address_of_the_kernel_is_followed_to_its_place(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(120, 36)) as pilot:
        session, address = await _learned(pilot)
        layout, screen = session.document.layout, main_screen(pilot)
        at = session.document.read(0, 0x1000).find(address.to_bytes(8, "little"))
        await pilot.press("5", "I")
        await until(pilot, lambda: screen.query(Inspector))
        screen.query_one("#hex", BytesPane).arrive(at)
        await until(pilot, lambda: f" idle+{_OFFSET:#x}" in shown(pilot))
        screen.query_one(Inspector).focus()
        await pilot.press("home", *["down"] * 9, "enter")
        paddr = layout.memory.ranges[0].paddr + _OFFSET
        await until(pilot, lambda: screen.query_one("#hex", BytesPane).cursor == layout.memory.offset_of(paddr))
