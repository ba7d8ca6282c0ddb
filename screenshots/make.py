"""Make every picture of the README: `python screenshots/make.py`.

Each picture is also a snapshot test (tests/tui/test_pictures.py), which fails if it is stale.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from textual.pilot import Pilot

from vmci_tui.opening.open_file import open_document
from vmci_tui.settings.settings import Settings
from vmci_tui.tui.app import VmciApp
from vmci_tui.tui.main_screen import MainScreen

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "sample_dumps"

_TO_REGISTERS = (*("down",) * 4, "enter", *("down",) * 9)
"""From the first row of QEMU's note in the structure to the stack pointer."""


class Shot(NamedTuple):
    """A picture: the open files, the terminal's size, the keys to press first."""

    name: str
    files: tuple[str, ...]
    size: tuple[int, int]
    keys: tuple[str, ...] = ()


SHOTS = (
    Shot("overview", ("x86_64-linux-good.elf", "x86_64-linux-good.entry"), (120, 36)),
    Shot("everything", ("amd64-cut-note.elf",), (200, 60), ("4", "down", "down")),
    Shot("narrow-keys", ("amd64-cut-note.elf",), (80, 24)),
    Shot("narrow-hex", ("amd64-cut-note.elf",), (80, 24), ("down", "down", "5")),
    Shot("narrow-entry", ("x86_64-beyond-ram.elf", "x86_64-beyond-ram.entry"), (80, 24), ("7",)),
    Shot("class-mismatch", ("class-mismatch.elf",), (120, 36), ("1",)),
    Shot("writes", ("past-byte-16.write.json",), (120, 36)),
    Shot("invalid-write", ("15-bytes.entry",), (100, 30), ("4",)),
    Shot("hostile", ("hostile-text.elf",), (120, 36)),
    Shot("edit", ("amd64-cut-note.elf",), (120, 36), ("down", "down", "enter")),
    Shot("append", ("amd64-cut-nonote.elf",), (120, 36), ("a",)),
    Shot("plan", ("x86_64-bad-phys-base.elf",), (120, 36), ("4", "d", "s")),
    Shot("readers", ("crlf.elf",), (120, 36), ("v",)),
    Shot("matrix", ("duplicate-keys.elf",), (120, 36), ("m",)),
    Shot("explain", ("amd64-cut-note.elf",), (200, 60), ("4", "i")),
    Shot("candidates", ("amd64-cut-nonote.elf",), (120, 36), ("F",)),
    Shot("repair", ("amd64-cut-nonote.elf",), (120, 36), ("R",)),
    Shot("memory", ("amd64-cut-note.elf",), (120, 36), ("M", "plus")),
    Shot("structure", ("amd64-cut-note.elf",), (120, 36), ("3", "home", "down", "down", "S", *_TO_REGISTERS)),
    Shot("log", ("amd64-panic.kdump",), (120, 36), ("P",)),
    Shot("start", (), (120, 36)),
)
"""What the README tells of."""
_STORIES = (
    ("missing-note", ("amd64-cut-nonote.elf",), ()),
    ("after-repair", ("amd64-cut-nonote.elf",), ("R", "enter")),
    ("after-save", ("amd64-cut-nonote.elf",), ("R", "enter", "s", "enter")),
    ("wrong-note", ("class-mismatch.elf",), ()),
    ("partial-write", ("full-then-partial.write.json",), ()),
    ("kdump", ("amd64-panic.kdump",), ()),
    ("bench", (), ("X",)),
    ("lesson", (), ("down", "enter")),
)
_SIZES = ((80, 24), (120, 36), (160, 45), (200, 60))
STORIES = tuple(
    Shot(f"{name}-{size[0]}x{size[1]}", files, size, keys) for name, files, keys in _STORIES for size in _SIZES
)
"""The same moments at every size."""


def app_of(shot: Shot) -> VmciApp:
    """Return the app of a picture; the current folder must be that of the samples."""
    document = open_document(*shot.files) if shot.files else None
    app = VmciApp(document, Settings(blink=False))
    app.animation_level = "none"
    return app


async def press(pilot: Pilot[None], keys: tuple[str, ...]) -> None:
    """Press the keys, and wait after each until the picture no longer changes."""
    await still(pilot)
    for key in keys:
        await pilot.press(key)
        await still(pilot)


async def still(pilot: Pilot[None]) -> None:
    """Wait until the state is judged, memory is looked at, and two pictures in a row are equal; give up after 300."""
    last = ""
    for _ in range(300):
        await pilot.pause(0.03)
        judged = not isinstance(pilot.app.screen, MainScreen) or _is_looked_at(pilot.app.screen)
        if (now := pilot.app.export_screenshot()) == last and judged:
            return
        last = now


def _is_looked_at(screen: MainScreen) -> bool:
    """Return whether the state is judged, and memory has been looked at for it."""
    session = screen.session
    return session.judgement is not None and session.ahead is not None and not session.ahead.running


async def draw(shot: Shot) -> str:
    """Return the picture as SVG, without web fonts, which a closed network cannot load."""
    app = app_of(shot)
    async with app.run_test(size=shot.size) as pilot:
        await press(pilot, shot.keys)
        svg = app.export_screenshot(title="vmci")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def main() -> int:
    os.environ.pop("NO_COLOR", None)
    for shot in (*SHOTS, *STORIES):
        # Fresh folders each time: a file of one picture must not be a recent file in the next, nor saved already.
        with tempfile.TemporaryDirectory() as scratch:
            os.environ["XDG_STATE_HOME"] = os.environ["XDG_CONFIG_HOME"] = f"{scratch}/home"
            os.chdir(shutil.copytree(SAMPLES, f"{scratch}/samples"))
            (HERE / f"{shot.name}.svg").write_text(asyncio.run(draw(shot)))
        print(shot.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
