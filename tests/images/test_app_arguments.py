"""Test the app's own command line: what the commands take about a memory image, it takes too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dumps.factory import ram
from vmci_tui.cli import run
from vmci_tui.cli.app_arguments import app_arguments
from vmci_tui.document.document import Document
from vmci_tui.images.guest_image import ImageChoice
from vmci_tui.tui import app

_MAP = "00001000-00002fff : System RAM\n00100000-00100fff : System RAM\n"


class _Opened:
    """Stands for the app: remembers what it shows."""

    memory: tuple[tuple[int, int], ...] = ()
    return_code = 0

    def __init__(self, document: Document) -> None:
        assert document.dump is not None
        type(self).memory = tuple((item.paddr, item.length) for item in document.dump.guest_memory.ranges)

    def run(self) -> None:
        """End at once."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "on_terminal", lambda: True)
    monkeypatch.setattr(app, "VmciApp", _Opened)
    Path("pc.iomem").write_text(_MAP)
    Path("pc.raw").write_bytes(ram(0x3000))
    Path("-entry").write_bytes(bytes(16))
    return tmp_path


@pytest.mark.parametrize(
    ("line", "memory"),
    [
        ("pc.raw --map pc.iomem", ((0x1000, 0x2000), (0x100000, 0x1000))),
        ("--map pc.iomem pc.raw", ((0x1000, 0x2000), (0x100000, 0x1000))),
        ("--map=pc.iomem pc.raw -entry", ((0x1000, 0x2000), (0x100000, 0x1000))),
        ("pc.raw@1000 pc.raw@0x100000", ((0x1000, 0x3000), (0x100000, 0x3000))),
        ("pc.raw@0 pc.raw@8000 -entry --no-stop", ((0, 0x3000), (0x8000, 0x3000))),
    ],
)
def test_images_that_the_app_opens(folder: Path, line: str, memory: tuple[tuple[int, int], ...]) -> None:
    assert run.main(line.split()) == 0
    assert _Opened.memory == memory


def test_what_is_said_of_an_image_reaches_it() -> None:
    line = "--snapshot first vm.qcow2 --blocks big,small --no-stop"
    assert app_arguments(line.split()) == (["vm.qcow2"], ImageChoice(None, "first", False, ("big", "small")))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pc.raw --maps pc.iomem", "the app does not take --maps"),
        ("--map pc.iomem", "no file is named"),
        ("pc.raw@0 -entry pc.raw", "one dump and one entry at most"),
        ("pc.raw --map", "--map: expected one argument"),
    ],
)
def test_what_the_app_does_not_take(folder: Path, line: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(line.split()) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1
