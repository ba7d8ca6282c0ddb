"""Test what the sample of a tiny kernel says: symbols, CPUs, lines, and the note that is made without its own."""

from __future__ import annotations

import json

import pytest

from tests.opened_files import open_document
from tests.paths import SAMPLES
from vmci_tui.adoption.made_note import MadeNote, make_note
from vmci_tui.cli.run import main
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import guest_of

_PATH = str(SAMPLES / "amd64-tiny.kdump")


def test_the_file_is_small() -> None:
    assert (SAMPLES / "amd64-tiny.kdump").stat().st_size < 100_000


def test_symbols_and_cpus_say_where_it_panicked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cpus", _PATH, "--json"]) == 0
    stopped, panicked = json.loads(capsys.readouterr().out)["cpus"]
    assert (panicked["pc"]["symbol"], panicked["panicked"], stopped["pc"]["symbol"]) == (
        *("delay_loop", True),
        "stop_this_cpu",
    )
    assert [one["symbol"] for one in panicked["stack"]][:2] == ["panic", "do_exit"]
    assert main(["symbols", _PATH, "printk_rb_static", f"{panicked['pc']['address']:#x}"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        *("ffffffffa1e16da0 d printk_rb_static", "ffffffffa16ae560 t delay_loop+0x20")
    ]


def test_its_lines_are_compared_and_the_made_note_has_those_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", _PATH, "--json"]) == 0
    proved = json.loads(capsys.readouterr().out)
    assert proved["counts"]["contradicted"] == 0 and proved["counts"]["confirmed"] >= 52
    true = {line["key"]: line["value"] for line in proved["lines"]}
    with open_document(_PATH) as document:
        assert document.dump is not None
        made = make_note(guest_of(document.dump), None, no_progress)
    assert isinstance(made, MadeNote)
    lines = dict(line.split(b"=", 1) for line in made.made.text.text.splitlines())
    assert len(lines) >= 49 and all(true[key.decode()] == value.decode() for key, value in lines.items())
