"""Test `vmci craft` as scripts call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command_result import Vmci
from vmci_tui.bench import DEFECTS


def test_the_list_has_a_line_for_each_defect(vmci: Vmci) -> None:
    ran = vmci("craft", "--list")
    lines = ran.out.splitlines()
    assert ran.code == 0 and len(lines) == len(DEFECTS) and lines[0].startswith("E01  two-halves")
    codes = [line[:3] for line in lines]
    assert codes == sorted(codes, key=lambda code: ("ENTCM".index(code[0]), code))


def test_the_list_as_json(vmci: Vmci) -> None:
    rows = vmci("craft", "--list", "--json").json
    assert {row["name"] for row in rows} == {item.name for item in DEFECTS}
    assert set(rows[0]) == {"code", "name", "does", "machines", "beside"}


def test_without_a_folder_it_describes_and_writes_nothing(vmci: Vmci, tmp_path: Path) -> None:
    for more in ((), ("--dry-run",)):
        ran = vmci("craft", "--defect", "E05", *more)
        assert ran.code == 0 and "guest note size is invalid: 11" in ran.out and "E05 error" in ran.out
        assert ran.err == "vmci: nothing was written. -o FOLDER saves E05.elf, E05.entry, E05.note, E05.manifest.json\n"
    assert not list(tmp_path.iterdir())


def test_saved_files_have_the_findings_of_the_manifest(vmci: Vmci) -> None:
    ran = vmci("craft", "--defect", "e11", "--defect", "N09,T05", "-o", "out", "--json")
    told = ran.json
    assert ran.code == 0 and told == {"schema": 1} | json.loads(Path("out", told["files"]["manifest"]).read_text())
    assert ran.err.splitlines()[0] == "vmci: wrote out/T05-N09-E11.elf"
    command = told["check"].split()
    assert command[:2] == ["vmci", "check"]
    checked = vmci("check", f"out/{command[2]}", "--blob", f"out/{command[4]}", "--json").json
    assert checked["findings"] == told["findings"] and checked["readers"] == told["readers"]


def test_nothing_is_overwritten(vmci: Vmci) -> None:
    assert vmci("craft", "-o", "out").code == 0
    ran = vmci("craft", "-o", "out")
    assert ran.code == 4 and ran.out == "" and ran.err.startswith("vmci: out/good.elf exists")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--defect", "E05,E06"),
        ("--defect", "nothing"),
        ("--machine", "vax"),
        ("--defect", "C14", "--machine", "i386"),
        ("--dry-run", "-o", "out"),
    ],
)
def test_an_impossible_request_is_a_usage_error(vmci: Vmci, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ran = vmci("craft", *arguments)
    assert ran.code == 2 and ran.out == "" and len(ran.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_saved_kdump_files_have_the_findings_of_the_manifest(vmci: Vmci) -> None:
    for words, container in (("M07,T05", "kdump"), ("C24", "flattened")):
        ran = vmci("craft", "--defect", words, "-o", words, "--json")
        told = ran.json
        assert ran.code == 0 and told["container"] == container
        _, _, dump, _, entry = told["check"].split()
        checked = vmci("check", f"{words}/{dump}", "--blob", f"{words}/{entry}", "--json").json
        assert checked["findings"] == told["findings"] and checked["readers"] == told["readers"]


def test_other_machines(vmci: Vmci) -> None:
    told = vmci("craft", "--machine", "s390x", "--defect", "T05", "--json").json
    assert (told["machine"], told["bits"], told["byte_order"]) == ("s390x", 64, "big")
    assert told["files"]["entry"] is None and told["files"]["dump"] == "T05-s390x.elf"
    assert vmci("craft", "--defect", "C14", "--json").json["machine"] == "s390x"
