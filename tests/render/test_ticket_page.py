"""Test the page for a ticket: its parts, and that no word of a guest is markup."""

from __future__ import annotations

from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.dumps.factory import cpus, elf, note
from tests.paths import SAMPLES
from vmci_tui.cli.run import main
from vmci_tui.render.ticket_page import code, plain

_PARTS = ["What it is", "What is wrong", "What each reader says", "The proof", "What to run"]


def _page(dump: Path, folder: Path) -> str:
    report = folder / "page.md"
    main(["check", str(dump), "--report", str(report)])
    return report.read_text("ascii")


def test_the_parts_are_in_order_and_the_verdict_is_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = _page(SAMPLES / "crlf.elf", tmp_path)
    shown = capsys.readouterr()
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == _PARTS
    verdict = shown.out.splitlines()[-1]
    assert page.splitlines()[2] == f"**{verdict}**" and "page.md" in shown.err
    assert "- **T02 error**: lines end in CR LF (file 0x740+2)\n" in page and "\ncrash --osrelease " in page
    assert "- Contents: `Linux 6.1.0-56-amd64\\x0d, x86_64, 2 CPUs, 4 KiB`\n" in page


def test_an_existing_file_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "taken.md"
    taken.write_text("mine")
    assert main(["check", str(SAMPLES / "crlf.elf"), "--report", str(taken)]) == 4
    shown = capsys.readouterr()
    assert taken.read_text() == "mine" and shown.out == "" and "exists; name a new file" in shown.err
    assert main(["check", str(SAMPLES / "crlf.elf"), "--report", str(tmp_path / "no" / "page.md")]) == 4


def test_words_of_a_guest_are_not_markup(tmp_path: Path) -> None:
    evil = b"OSRELEASE=6.1 `|` <b> ![x](http://e) @all #1\n**k**<i>`=| _v_\nCRASHTIME=``|\n"
    dump = tmp_path / "<b>`|*x*.elf"
    dump.write_bytes(elf((cpus() + note(evil),)))
    tokens = MarkdownIt("commonmark").enable("table").parse(_page(dump, tmp_path))
    inner = [child for token in tokens for child in token.children or ()]
    assert not {token.type for token in inner} & {"html_inline", "image", "link_open", "em_open"}
    assert not any(token.type == "html_block" for token in tokens)
    rows = "".join({"tr_open": "\n", "th_open": "c", "td_open": "c"}.get(token.type, "") for token in tokens).split()
    assert set(rows) == {"cccc"}, "a row of the table has four cells"


def test_code_and_plain_text() -> None:
    assert code("a") == "`a`" and code("a`b") == "`` a`b ``" and code("|") == r"`\|`"
    assert plain("init_uts_ns _x_ <b>") == "init_uts_ns &#95;x&#95; &#60;b&#62;"
