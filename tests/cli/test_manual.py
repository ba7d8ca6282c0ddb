"""Test that docs/vmci.1 is complete and valid roff."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
from collections.abc import Iterator
from shutil import which

import pytest

from tests.limits import PATIENCE
from tests.paths import DOCS
from vmci_tui.cli.arguments import parser
from vmci_tui.cli.examples import EXAMPLES
from vmci_tui.cli.run import COMMANDS

_PAGE = DOCS / "vmci.1"
_TEXT = _PAGE.read_text()
_MACROS = {".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".BR", ".br"}


def _sections() -> dict[str, str]:
    """Return the text below each command's heading, with plain dashes."""
    parts = re.split(r"(?m)^\.SS (.*)$", _TEXT)
    return {name: text.replace("\\-", "-") for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def _options() -> Iterator[tuple[str, str]]:
    commands = next(action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    for name, command in commands.choices.items():
        for action in command._actions:
            if action.help and "-h" not in action.option_strings:
                yield from ((name, option) for option in action.option_strings or [str(action.metavar)])


def test_every_command_has_a_section_and_every_option_a_description() -> None:
    sections = _sections()
    assert list(sections) and set(sections) == set(COMMANDS)
    for name, option in _options():
        assert re.search(rf"(?m)^\\f.*{re.escape(option)}", sections[name]), (name, option)
    for number in ("0 success", "4 not saved", "130 interrupted"):
        assert number in _TEXT


def test_it_is_plain_roff() -> None:
    assert _TEXT.isascii()
    for line in _TEXT.splitlines():
        assert not line.startswith("'") and line.strip()
        if line.startswith("."):
            assert line.split()[0] in _MACROS or line.startswith('.\\"'), line


@pytest.mark.skipif(which("groff") is None, reason="groff is not installed")
def test_groff_reports_no_warning() -> None:
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", _PAGE], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0 and done.stderr == ""
    words = " ".join(re.sub(r".\x08|\x1b\[[0-9;]*m", "", done.stdout).split())
    assert "vmci COMMAND --help" in words and "--in-place" in words


def test_each_command_has_examples_that_its_parser_takes() -> None:
    """`|` and `<` end what vmci sees of a line."""
    assert set(EXAMPLES) == set(COMMANDS)
    for name, lines in EXAMPLES.items():
        for line in lines:
            words = shlex.split(re.split(r" [|<] ", line)[0])
            options, rest = parser().parse_known_args(words[1:])
            assert (words[0], options.command) == ("vmci", name) and all("=" in item for item in rest), line
        assert all(re.sub(r"^- ", "", line) in _sections()[name].replace(r"\(aq", "'") for line in lines), name
