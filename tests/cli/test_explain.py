"""Test `vmci explain`: what a key means, and how each reader parses it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vmci_tui.cli.run import main
from vmci_tui.knowledge.glossary import known_keys
from vmci_tui.readers.verdicts import DEFAULT


@pytest.fixture
def explained(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str, code: int = 0) -> tuple[str, str]:
        assert main(["explain", *arguments]) == code
        return capsys.readouterr()

    return run


def test_every_key_that_a_reader_uses_is_described() -> None:
    assert {reader.name: set(reader.keys) - set(known_keys()) for reader in DEFAULT.all} == {
        reader.name: set() for reader in DEFAULT.all
    }


def test_a_value_as_each_reader_reads_it(explained: Any) -> None:
    out = json.loads(explained("--json", "NUMBER(phys_base)=436207616").out)
    assert out["key"] == "NUMBER(phys_base)" and out["base"] == 10 and out["since"] == "4.10"
    assert out["readers"]["qemu"]["number"] == 0x436207616 and out["readers"]["qemu"]["how"] == "base 16"
    assert {out["readers"][name]["number"] for name in ("crash", "drgn", "makedumpfile")} == {0x1A000000}
    assert {"label": "hex", "shown": "0x1a000000", "problem": False} in out["decoded"]


def test_without_a_value_it_says_only_how_readers_parse_the_key(explained: Any) -> None:
    out = json.loads(explained("--json", "SYMBOL(swapper_pg_dir)").out)
    assert out["readers"]["drgn"]["how"] == "base 16" and "number" not in out["readers"]["drgn"]
    assert out["decoded"] == []


def test_the_first_version_that_uses_a_key(explained: Any) -> None:
    readers = json.loads(explained("--json", "NUMBER(phys_base)").out)["readers"]
    assert {name: reading["since"] for name, reading in readers.items() if reading["since"]} == {"drgn": "0.0.27"}
    assert "drgn 0.3.0: pairs of hex digits, from 0.0.31 on" in explained("BUILD-ID").out


def test_the_text_output(explained: Any) -> None:
    out = explained("NUMBER(phys_base)=-719323136").out
    assert "paddr = va - 0xffffffff80000000 + phys_base" in out
    assert "0xffffffffd5200000" in out and "since 4.10" in out and "x86_64" in out
    assert "crash" in out and "makedumpfile" in out
    assert all(line.isascii() and line.isprintable() for line in out.splitlines())


def test_a_key_without_a_description_has_its_form(explained: Any) -> None:
    assert "Only its form is known" in explained("OFFSET(task_struct.pid)").out
    assert json.loads(explained("--json", "SYMBOL(x\\x1b)").out)["key"] == "SYMBOL(x\\x1b)"


def test_an_unknown_form_is_reported(explained: Any) -> None:
    shown = explained("phys_bas", code=2)
    assert shown.out == "" and "NUMBER(phys_base)" in shown.err
    assert "--search" in explained(code=2).err
    assert "--search" in explained("\\x1b", code=2).err


def test_a_bare_name_is_taken_for_the_key_that_most_readers_use(explained: Any) -> None:
    shown = explained("phys_base=16")
    assert shown.out == explained("NUMBER(phys_base)=16").out
    assert shown.err == "vmci: phys_base is NUMBER(phys_base) here; there is also SYMBOL(phys_base)\n"
    for bare, key in (("osrelease", "OSRELEASE"), ("swapper_pg_dir", "SYMBOL(swapper_pg_dir)")):
        assert json.loads(explained("--json", bare).out)["key"] == key


def test_the_best_match_is_first_and_a_row_says_why_it_matched(explained: Any) -> None:
    lines = explained("--search", "kaslr").out.splitlines()
    assert lines[0].startswith("KERNELOFFSET ") and lines[1].startswith("relocate ")
    assert all("kaslr" in "".join(lines[at : at + 2]).lower() for at, line in enumerate(lines) if line[0] != " ")
    assert explained("--search", "prb").out.startswith("SYMBOL(prb) ")


def test_search(explained: Any) -> None:
    assert "NUMBER(kimage_voffset)" in explained("--search", "difference physical image").out
    assert "SYMBOL(prb)" in [key["key"] for key in json.loads(explained("--json", "--search", "prb").out)["keys"]]
    assert explained("--search", "xyzzy").out == "nothing found\n"
