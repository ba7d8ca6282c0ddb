"""What must not be imported when vmci starts: one table, held by running it, and the only reason for late imports.

A module is imported at the top of a file, unless a start that needs to be fast does without it. Then the table has it,
and it is imported where it is used. `python -X importtime -m vmci_tui show FILE` says what each import costs.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests import house
from tests.paths import SAMPLES

SHOW, CHECK, APP, VERSION = "show", "check", "app", "--version"
"""`vmci show FILE`; `vmci check FILE`; the app until its first paint, all with an ELF dump; `vmci --version`."""
_EVERY: Final = (SHOW, CHECK, APP, VERSION)
DUMP: Final = str(SAMPLES / "amd64-cut-note.elf")
LATE: Final = {
    # Optional packages, which may be missing.
    "aiohttp": _EVERY, "textual_serve": _EVERY, "qemu": _EVERY, "cramjam": _EVERY, "lzallright": _EVERY,
    # Dear packages, and parts of Python: milliseconds each.
    "textual": (SHOW, CHECK), "rich": (SHOW, CHECK), "asyncio": (SHOW, CHECK), "logging": (SHOW, CHECK),
    "platformdirs": (SHOW, CHECK), "pathlib": (SHOW, CHECK), "subprocess": (SHOW, CHECK), "tempfile": (SHOW, CHECK),
    "elftools": _EVERY, "hexdump": _EVERY, "shtab": _EVERY, "json": _EVERY, "zipfile": _EVERY, "tomllib": _EVERY,
    "argparse": (APP,), "multiprocessing": _EVERY, "sqlite3": _EVERY, "ctypes": _EVERY, "filecmp": _EVERY,
    "hashlib": _EVERY, "difflib": (SHOW, CHECK, VERSION), "datetime": (SHOW, CHECK, VERSION),
    "pygments": _EVERY, "markdown_it": _EVERY, "textual.widgets._text_area": _EVERY,
    # What an ELF dump without a fault does not need.
    "vmci_tui.containers.kdump": _EVERY, "vmci_tui.containers.elf.flattened": _EVERY,
    "vmci_tui.containers.elf.same_memory": _EVERY, "vmci_tui.containers.elf.layout": (SHOW, APP),
    "vmci_tui.formats.windows_header": (APP,), "vmci_tui.findings.checks.kdump": _EVERY,
    "vmci_tui.findings.checks.flattened": _EVERY, "vmci_tui.render.kdump_report": _EVERY,
    "vmci_tui.layers.flattened": (SHOW,), "vmci_tui.document.edit": (SHOW,), "vmci_tui.document.edit_entry": (SHOW,),
    "vmci_tui.opening.open_entry": (SHOW, APP), "vmci_tui.images": _EVERY, "vmci_tui.live": _EVERY,
    "vmci_tui.search.pages": _EVERY, "vmci_tui.saving.last_save": _EVERY, "vmci_tui.common.error_log": _EVERY,
    "vmci_tui.readers.crash.other_files": _EVERY, "vmci_tui.readers.crash.kdump": _EVERY,
    "vmci_tui.readers.libkdumpfile.kdump_rules": _EVERY, "vmci_tui.readers.libkdumpfile.open_kdump": _EVERY,
    "vmci_tui.findings.checks.entry": _EVERY, "vmci_tui.findings.checks.entry_region": _EVERY,
    # What only a terminal, a command or a key needs.
    "vmci_tui.cli.terminal_lines": (SHOW, CHECK, VERSION),
    "vmci_tui.tui.commands": _EVERY, "vmci_tui.tui.background": _EVERY, "vmci_tui.tui.main_actions": _EVERY,
    "vmci_tui.tui.disk.save_session": _EVERY, "vmci_tui.tui.disk.files": _EVERY, "vmci_tui.tui.load_rest": _EVERY,
    "vmci_tui.tui.screenshot": _EVERY, "vmci_tui.tui.screens": _EVERY,
    "vmci_tui.tui.widgets.dialogs": _EVERY, "vmci_tui.tui.widgets.theme_dialog": _EVERY,
    "vmci_tui.tui.lessons.list_screen": _EVERY,
    "vmci_tui.tui.lessons.observe": _EVERY, "vmci_tui.tui.lessons.panel": _EVERY,
    "vmci_tui.tui.panes.bookmarks": _EVERY, "vmci_tui.tui.panes.copy_screen": _EVERY,
    "vmci_tui.tui.companions": _EVERY, "vmci_tui.tui.panes.qemu": _EVERY,
    "vmci_tui.tui.panes.subjects": _EVERY,
    "vmci_tui.tui.rows.windows_rows": _EVERY, "vmci_tui.tui.rows.offered_rows": _EVERY,
    "vmci_tui.tui.panes.entry_dialog": _EVERY,
    "vmci_tui.tui.panes.templates_dialog": _EVERY,
    "vmci_tui.verdict": (SHOW, APP), "vmci_tui.tui.verdict": _EVERY, "vmci_tui.tui.widgets.verdict_rows": _EVERY,
    "vmci_tui.render": (APP,), "vmci_tui.formats.hex_dump": _EVERY, "vmci_tui.formats.entry_from_text": _EVERY,
    "vmci_tui.common.confinement": _EVERY,
    "vmci_tui.opening": (VERSION,), "vmci_tui.containers": (VERSION,), "vmci_tui.document": (VERSION,),
    "vmci_tui.settings": (SHOW, CHECK), "vmci_tui.settings.readers": (APP,), "vmci_tui.readers.installed": _EVERY,
    "vmci_tui.bench": _EVERY, "vmci_tui.structure": _EVERY, "vmci_tui.qemu": _EVERY, "vmci_tui.lessons": _EVERY,
    "vmci_tui.cli.serving.lesson_server": _EVERY, "vmci_tui.cli": (APP,), "vmci_tui.tui": (SHOW, CHECK),
    "vmci_tui.findings": (SHOW, APP), "vmci_tui.readers": (SHOW, APP), "vmci_tui.proof": (SHOW, APP),
    "vmci_tui.readers.gdb": _EVERY, "vmci_tui.readers.volatility3": _EVERY, "vmci_tui.repair.safe_fixes": _EVERY,
    "vmci_tui.render.kernel.proof_report": _EVERY, "vmci_tui.render.ticket_page": _EVERY,
    "vmci_tui.saving.new_file": _EVERY, "vmci_tui.adoption.kernel_facts": _EVERY, "vmci_tui.kernel.lines": _EVERY,
    "vmci_tui.kernel.facts": _EVERY, "vmci_tui.kernel.content": _EVERY,
    "vmci_tui.kernel.symbols": _EVERY,
    "vmci_tui.adoption.made_note": _EVERY, "vmci_tui.adoption.pointed_note": _EVERY,
    "vmci_tui.adoption.twins": _EVERY, "vmci_tui.adoption.wanted_note": _EVERY,
    "vmci_tui.search": (SHOW, APP), "vmci_tui.adoption": (SHOW, APP), "vmci_tui.repair": (SHOW, APP),
    "vmci_tui.saving": (SHOW, CHECK, APP), "vmci_tui.knowledge": (SHOW, APP),
}  # fmt: skip
"""The starts that must not import a module, nor any below it."""
_COMMAND: Final = """
import contextlib, io, sys
from vmci_tui.cli.run import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(sys.argv[1:])
names = sorted(sys.modules)
import json
print(json.dumps(names))
"""
_APP: Final = """
import os, sys
from vmci_tui.opening.open_file import open_document
document = open_document(sys.argv[2])
from vmci_tui.tui.app import VmciApp

class FirstPaint(VmciApp):
    def post_display_hook(self):
        names = sorted(sys.modules)
        import json
        os.write(1, json.dumps(names).encode())
        os._exit(0)

FirstPaint(document).run(headless=True)
"""


@cache
def _loaded(*command: str) -> frozenset[str]:
    """Return the modules that a command imports, or the app, in a process of its own."""
    script = [sys.executable, "-c", _APP if command[0] == APP else _COMMAND, *command]
    return frozenset(json.loads(subprocess.run(script, stdout=subprocess.PIPE, check=True, timeout=120).stdout))


def _is_below(module: str, name: str) -> bool:
    return module == name or module.startswith(name + ".")


@pytest.mark.parametrize("start", _EVERY)
def test_a_start_imports_nothing_that_it_does_not_need(start: str) -> None:
    late = [name for name, starts in LATE.items() if start in starts]
    assert [module for module in sorted(_loaded(start, DUMP)) if any(_is_below(module, name) for name in late)] == []


@pytest.mark.parametrize("command", ["hex DUMP", "set DUMP A=1 -o out", "strip DUMP -o out", "new entry -o out"])
def test_no_headless_command_imports_the_app(command: str, tmp_path: Path) -> None:
    late = [name for name, starts in LATE.items() if starts == (SHOW, CHECK) or name == "elftools"]
    late.remove("subprocess")  # what saves, or looks at compressed pages, may start processes
    words = command.replace("DUMP", str(SAMPLES / "crlf.elf")).replace("out", str(tmp_path / "out")).split()
    assert [module for module in _loaded(*words) if any(_is_below(module, name) for name in late)] == []


def test_a_late_import_is_of_a_module_of_the_table() -> None:
    found = [
        (file, module)
        for file in house.modules()
        for module in _late_imports(file)
        if not any(
            _is_below(module, name) for name, starts in LATE.items() if APP in starts or not file.startswith("tui/")
        )
    ]
    assert found == []


def _late_imports(file: str) -> Iterator[str]:
    """Yield the modules that functions of a file import."""
    for function in ast.walk(ast.parse(house.modules()[file].read_text())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    yield from (item.name for item in node.names)
                elif isinstance(node, ast.ImportFrom):
                    names = (f"{node.module}.{item.name}" for item in node.names)
                    yield from (name if house.file_of(name) else str(node.module) for name in names)
