"""Test kernels newer than makedumpfile, and indented texts, with the real programs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.kit import found
from tests.opened_files import open_document
from tests.paths import SAMPLES
from tests.real import readers
from vmci_tui.cli.run import main
from vmci_tui.findings.judgement import Judgement
from vmci_tui.repair.next_commands import next_commands

_WORDS = "The kernel version is not supported."


@pytest.mark.parametrize(("release", "newer"), [(b"5.9.4-56-amd64", False), (b"99.9.9-5-amd64", True)])
def test_makedumpfile_reports_a_newer_kernel(release: bytes, newer: bool, tmp_path: Path) -> None:
    """It still shows the note and the log; a copy with `-d 31` is not offered for such a kernel."""
    path = tmp_path / "dump.elf"
    # In memory too: makedumpfile reads the release from utsname there.
    path.write_bytes((SAMPLES / "amd64-cut-note.elf").read_bytes().replace(b"6.1.0-56-amd64", release))
    document = open_document(str(path))
    said = readers.makedumpfile_dmesg(str(path), tmp_path / "log").out
    assert (_WORDS in said) == newer == ("T24" in found(document))
    judgement = Judgement.of(document)
    assert judgement.now["makedumpfile"].accepts and f"OSRELEASE={release.decode()}" in said
    offered = [str(step.command) for step in next_commands(judgement) if step.reader == "makedumpfile"]
    assert any("-d 31" in command for command in offered) != newer and len(offered) == (1 if newer else 2)


def test_no_reader_finds_a_key_after_blanks(tmp_path: Path) -> None:
    text = open_document(str(SAMPLES / "amd64-cut-note.elf")).state.vmcoreinfo
    assert text is not None
    (tmp_path / "help-D").write_bytes(re.sub(rb"(?m)^(?=.)", b" " * 22, text.text))
    bare, kept, out = str(SAMPLES / "amd64-cut-nonote.elf"), str(tmp_path / "kept"), str(tmp_path / "out")
    assert main(["append", bare, "--text", str(tmp_path / "help-D"), "--verbatim", "-o", kept]) == 0
    assert main(["append", bare, "--text", str(tmp_path / "help-D"), "-o", out]) == 0
    assert readers.crash_osrelease(kept) == "unknown" and "T26" in found(open_document(kept))
    assert "Invalid format" in readers.makedumpfile_dmesg(kept, tmp_path / "log").out
    assert readers.crash_osrelease(out) == "6.1.0-56-amd64"
    taken = readers.drgn_text(out)
    assert taken.code == 0 and readers.drgn_text(kept).code != 0
    assert main(["repair", kept, "-o", str(tmp_path / "repaired")]) == 0
    assert readers.crash_osrelease(str(tmp_path / "repaired")) == "6.1.0-56-amd64"
