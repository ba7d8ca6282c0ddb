"""Test a kdump whose pages no installed package decompresses: only work that needs a page fails, with a message."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.opened_files import open_document
from tests.paths import DATA
from vmci_tui.cli.run import main

_LZO = DATA / "faults" / "lzo.kdump"
_WORDS = "compressed by lzo, for which Python's lzallright is missing"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    for package in ("lzallright", "cramjam", "backports.zstd"):
        monkeypatch.setitem(sys.modules, package, None)

    def ran(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out = capsys.readouterr()
        return code, out.out, out.err

    return ran


def test_the_header_and_the_text_are_shown(run: Run) -> None:
    code, out, err = run("show", str(_LZO), "--keys")
    assert code == 0 and "OSRELEASE=6.1.0-56-amd64" in out and not err


def test_readers_are_judged_and_the_proof_names_the_missing_package(run: Run) -> None:
    code, out, err = run("check", str(_LZO), "--json")
    checked = json.loads(out)
    assert code == 0 and not err
    assert checked["readers"]["crash"]["accepts"] is True
    assert checked["proof"]["proved"] is None and _WORDS in checked["proof"]["why"]
    assert any(found["code"] == "M06" and _WORDS in found["message"] for found in checked["findings"])


def test_find_names_the_missing_package_in_one_line(run: Run) -> None:
    code, out, err = run("find", str(_LZO))
    assert code == 3 and not out and _WORDS in err and err.count("\n") == 1 and "pip install lzallright" in err


def test_repair_makes_fixes_that_need_no_page(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("repair", str(_LZO), "-o", str(tmp_path / "out.kdump"))
    assert code == 0 and _WORDS in out and "nothing to repair" in out


def test_repair_without_a_note_gives_the_reason_for_not_searching(run: Run, tmp_path: Path) -> None:
    bare, out = str(tmp_path / "bare.kdump"), str(tmp_path / "out.kdump")
    assert run("strip", str(_LZO), "-o", bare)[0] == 0
    code, words, _ = run("repair", bare, "-o", out)
    assert code == 1 and "its memory cannot be searched" in words and _WORDS in words


def test_saving_needs_no_page(run: Run, tmp_path: Path) -> None:
    out = str(tmp_path / "out.kdump")
    assert run("set", str(_LZO), "CRASHTIME=1700000000", "-o", out)[0] == 0
    document = open_document(out)
    assert document.state.vmcoreinfo is not None and document.state.vmcoreinfo.get(b"CRASHTIME") == b"1700000000"
    document.close()
