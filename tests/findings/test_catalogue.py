"""Test that the rows of the catalogue have the fields and values that the program knows."""

from __future__ import annotations

import ast
import re
from typing import get_args

import pytest

from tests.house import PACKAGE
from vmci_tui.bench import DEFECTS
from vmci_tui.findings.catalogue import GROUPS, catalogue, finding_type

_FOLDER = PACKAGE / "findings" / "catalogue"
_WORDS = {
    "severity": finding_type.Severity,
    "about": finding_type.About,
    "fix": finding_type.FixName,
    "safe": finding_type.WhenSafe,
    "group": finding_type.Group,
}


@pytest.mark.parametrize("code", catalogue())
def test_every_row_has_its_fields(code: str) -> None:
    row = catalogue()[code]
    fields = row._asdict()
    assert code == row.code
    for name, words in _WORDS.items():
        assert fields[name] in get_args(words) or (fields[name] is None and name not in ("severity", "about")), name
    for name in ("what", "why", "example", "cure"):
        assert fields[name] and fields[name].isascii() and fields[name].isprintable(), name
        assert not fields[name].endswith("."), name
    of_image = row.cure_of_image or row.cure
    assert of_image.isascii() and of_image.isprintable() and not of_image.endswith(".")
    assert "vmci repair" not in of_image, "of a memory image a dump is made first"
    for defect, beside in row.craft.items():
        assert isinstance(beside, tuple) and set(beside) <= set(catalogue()) - {code}, defect


def test_rows_are_in_the_files_of_their_letters() -> None:
    rows = [
        (path, code)
        for path in _FOLDER.glob("of_*.py")
        for code in re.findall(r'FindingType\("(\w+)"', path.read_text())
    ]
    assert sorted(code for _, code in rows) == sorted(catalogue()), "no code has two rows"
    assert {(path.stem.removeprefix("of_"), GROUPS[code[0]].lower().removeprefix("the ")) for path, code in rows} == {
        (name, name) for name in ("container", "entry", "memory", "notes", "text")
    }
    codes = list(catalogue())
    assert codes == sorted(codes, key=lambda code: (list(GROUPS).index(code[0]), int(code[1:])))


def test_defects_and_rows_name_each_other() -> None:
    named = [name for row in catalogue().values() for name in row.craft]
    assert sorted(named) == sorted(item.name for item in DEFECTS)


def test_no_set_of_codes_is_left_in_the_code() -> None:
    """Properties that several codes share are fields of their rows."""
    for path in set(PACKAGE.rglob("*.py")) - set(_FOLDER.glob("of_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict):
                items = node.keys if isinstance(node, ast.Dict) else node.elts
                codes = {item.value for item in items if isinstance(item, ast.Constant)} & set(catalogue())
                assert len(codes) < 2, f"{path}:{node.lineno}: {codes}"
