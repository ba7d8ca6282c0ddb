"""Test the screens with reports of what the kernel left in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.findings.test_lines import facts_in
from tests.kernel.symbols.kallsyms_writer import names_of
from tests.tui.driving import main_screen, running, settled, shown, until
from vmci_tui.adoption.kernel_facts import KernelFound
from vmci_tui.kernel.symbols.table import SymbolTable
from vmci_tui.tui.reports.report_screen import NO_LINES, ReportScreen

Sample = Callable[[str], str]


async def _run(pilot: Pilot[None], word: str) -> None:
    """Run the command of the palette that has a word."""
    screen = main_screen(pilot)
    next(item.callback for item in pilot.app.get_system_commands(screen) if word in item.title)()
    await until(pilot, lambda: isinstance(pilot.app.screen, ReportScreen))
    await settled(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_cpus_and_which_one_panicked(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("amd64-panic.kdump"), size=size) as pilot:
        await _run(pilot, "vmci cpus")
        await until(pilot, lambda: "looks like the one that panicked" in shown(pilot))
        assert "CPU 0 looks like the one that panicked: the kernel's log says so" in shown(pilot)
        await pilot.press("down", "c", "escape")
        assert main_screen(pilot).is_current


async def test_each_line_as_prove_prints_it(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        await _run(pilot, "vmci prove")
        assert NO_LINES[:40] in shown(pilot)
        await pilot.press("escape")
        session = main_screen(pilot).session
        session.learn(
            KernelFound(
                SymbolTable(names_of((b"T_text",)), (1 << 32,), "absolute", 0), "little", 8, facts_in(session.document)
            )
        )
        await until(pilot, lambda: session.judgement is not None and session.judgement.lines is not None)
        await _run(pilot, "vmci prove")
        assert "confirmed     OSRELEASE=" in shown(pilot)
