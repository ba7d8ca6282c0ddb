"""Whether a reader that accepts a dump then reads kernel memory: the result, and where it is shown."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.data_files import fault
from tests.kit import opened
from vmci_tui.cli.run import main
from vmci_tui.findings.judgement import Judgement

Sample = Callable[[str], str]


def test_drgn_opens_a_dump_of_32_bit_arm_and_then_finds_no_kernel_memory() -> None:
    told = Judgement.of(opened(fault("633-armhf.elf"))).shown["drgn"]
    assert told.accepts and told.reads is False and told.state == "opens"
    assert told.unread == "recursive address translation; page table may be missing from core dump: 0xc0203018"


def test_with_the_linear_map_in_p_vaddr_both_read_it() -> None:
    told = Judgement.of(opened(fault("633-armhf-vaddr.elf"))).shown
    assert told["drgn"].reads is True and told["libkdumpfile"].reads is True
    assert told["readelf"].reads is None and told["readelf"].state == "accepts"


def test_whoever_refuses_is_not_asked() -> None:
    told = Judgement.of(opened(fault("633-armhf.elf"))).shown["libkdumpfile"]
    assert told.accepts is False and told.reads is None and told.state == "refuses"


def test_check_says_it_in_text_and_in_json(sample: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    path = sample("amd64-note.elf-win4k")
    main(["check", path])
    out = capsys.readouterr().out
    assert "  drgn          accepts, but reads no kernel memory: could not find physical memory segment: 0x" in out
    main(["check", "--json", path])
    readers = json.loads(capsys.readouterr().out)["readers"]
    assert readers["drgn"]["reads"] is False and readers["drgn"]["accepts"] is True
    assert readers["readelf"]["reads"] is None
