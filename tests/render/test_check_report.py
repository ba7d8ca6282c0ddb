"""Test what `vmci check` prints: the verdict comes last, and nothing is there twice."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from tests.paths import SAMPLES
from vmci_tui.cli.run import main

_LAST = {
    "amd64-cut-nonote.elf": "1 error: all 6 readers refuse",
    "amd64-cut-note.elf": "1 info: all 6 readers accept, 1 reads no kernel memory",
    "arm64-cut-nonote.elf": "1 error, 1 info: all 5 readers refuse; crash reads other dumps",
    "crlf.elf": "1 error, 1 info: 3 of 6 readers refuse",
    "x86_64-linux-good.elf": "2 warnings, 1 info: 2 of 6 readers refuse, 2 read no kernel memory",
    "good.entry": "no findings: no reader's verdict is known",
    "size-11.entry": "1 error: qemu refuses",
}


@pytest.mark.parametrize("name", _LAST)
def test_the_verdict_is_last_and_no_sentence_is_there_twice(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", str(SAMPLES / name)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == _LAST[name]
    assert "" in lines and all(line or after for line, after in pairwise(lines))
    alone = Counter(line for line in lines if line.strip() and "rewrite the headers" not in line)
    assert alone.most_common(1)[0][1] == 1


def test_what_two_readers_say_and_what_memory_says_is_there_once(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", str(SAMPLES / "crlf.elf")])
    out = capsys.readouterr().out
    assert out.count("couldn't parse BUILD-ID") == 1 and "libkdumpfile  refuses    the same as drgn\n" in out
    assert out.count("cannot be verified in memory") == 1
    main(["check", str(SAMPLES / "amd64-cut-note.elf")])
    assert capsys.readouterr().out.count("\nthe note is proved: at 0x89fb000 memory holds") == 1


def test_the_verdict_is_about_the_chosen_readers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--for", "crash", str(SAMPLES / "crlf.elf")]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 error: crash accepts"
