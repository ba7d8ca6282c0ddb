"""Test the signs of the lines that the kernel's tables in memory confirm, contradict or do not show."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.findings.test_lines import facts_in
from tests.kernel.symbols.kallsyms_writer import names_of
from tests.tui.driving import main_screen, running, settled, shown, until
from vmci_tui.adoption.kernel_facts import KernelFound
from vmci_tui.document import edit_text
from vmci_tui.document.edit import Edit
from vmci_tui.kernel.symbols.table import SymbolTable
from vmci_tui.tui.panes.keys import KeysList
from vmci_tui.tui.session import Session
from vmci_tui.tui.style.cells import CHECK

Sample = Callable[[str], str]
_SIZES = [(80, 24), (120, 36)]


async def _learned(pilot: Pilot[None], unknown: tuple[bytes, ...] = ()) -> Session:
    """Let the app know what memory says, by the true note: its samples are too small for a kernel's tables."""
    session = main_screen(pilot).session
    facts = facts_in(session.document, unknown)
    session.learn(
        KernelFound(SymbolTable(names_of((b"T_text",)), (0xFFFFFFFF81000000,), "absolute", 0), "little", 8, facts)
    )
    await until(pilot, lambda: session.judgement is not None and session.judgement.lines is not None)
    await settled(pilot)
    return session


@pytest.mark.parametrize("size", _SIZES)
async def test_each_line_has_a_sign(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("amd64-cut-note.elf"), size=size) as pilot:
        await pilot.press("4")
        assert f"{CHECK}   1 OSRELEASE" not in shown(pilot)
        await _learned(pilot, (b"BUILD-ID",))
        seen = shown(pilot)
        assert f"{CHECK}   1 OSRELEASE" in seen and "?   2 BUILD-ID" in seen
        assert "108 confirmed" in seen and "contradicted" not in seen
        await pilot.press("down", "i")
        await until(pilot, lambda: "does not show it: no such type" in shown(pilot))


@pytest.mark.parametrize("size", _SIZES)
async def test_f_sets_the_value_that_memory_has(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("amd64-cut-note.elf"), size=size) as pilot:
        session = await _learned(pilot)
        true = session.document.state.vmcoreinfo
        await pilot.press("4")
        keys = main_screen(pilot).query_one(KeysList)
        keys.select(next(row for row, line in enumerate(keys.shown.lines) if line.key == b"OFFSET(page.lru)"))
        await pilot.press("f")
        assert session.document.state.vmcoreinfo == true, "a confirmed line has nothing to fix"
        session.edit(Edit.of(edit_text.set_key, b"OFFSET(page.lru)", b"16"))
        await settled(pilot)
        assert "memory has 8" in shown(pilot) and "1 contradicted" in shown(pilot)
        assert "M13" in [item.code for item in session.found]
        keys.focus()
        await pilot.press("f")
        await settled(pilot)
        assert session.document.state.vmcoreinfo == true and "contradicted" not in shown(pilot)


async def test_a_key_that_was_not_looked_up_is_unknown(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        session = await _learned(pilot)
        session.edit(Edit.of(edit_text.add_key, b"SIZE(new)", b"8"))
        await settled(pilot)
        assert session.judgement is not None and session.judgement.lines is not None
        assert session.judgement.lines.lines[-1].verdict == "unknown"
        assert session.judgement.lines.contradicted == ()


async def test_a_repair_sets_a_contradicted_line(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        session = await _learned(pilot)
        true = session.document.state.vmcoreinfo
        session.edit(Edit.of(edit_text.set_key, b"OFFSET(page.lru)", b"16"))
        await settled(pilot)
        await pilot.press("R")
        await until(pilot, lambda: "set OFFSET(page.lru)=8" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: session.document.state.vmcoreinfo == true)
