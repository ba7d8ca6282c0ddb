"""Test that the rows of the catalogue have the fields and values that the program knows."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from tests.house import PACKAGE
from vmci_tui.bench import DEFECTS
from vmci_tui.findings import catalogue as module
from vmci_tui.findings.catalogue import FindingType, catalogue

_ROWS = tomllib.loads((Path(module.__file__).parent / "catalogue.toml").read_text("ascii"))
_MUST = {"severity", "what", "why", "example", "cure", "about", "craft"}
_MAY = {"fix", "safe", "adopt", "foreign_note", "group", "cure_of_image"}
_WORDS = {
    "severity": module.Severity,
    "about": module.About,
    "fix": module.FixName,
    "safe": module.WhenSafe,
    "group": module.Group,
}


@pytest.mark.parametrize("code", _ROWS)
def test_every_row_has_its_fields(code: str) -> None:
    row = _ROWS[code]
    assert set(row) >= _MUST and set(row) <= _MUST | _MAY
    assert _MUST | _MAY | {"code"} == set(FindingType._fields)
    for name, words in _WORDS.items():
        assert name not in row or row[name] in get_args(words), name
    for name in ("what", "why", "example", "cure"):
        assert row[name] and row[name].isascii() and row[name].isprintable() and not row[name].endswith("."), name
    of_image = row.get("cure_of_image", row["cure"])
    assert of_image.isascii() and of_image.isprintable() and not of_image.endswith(".")
    assert "vmci repair" not in of_image, "of a memory image a dump is made first"
    assert row.get("adopt") in (None, True)
    for defect, beside in row["craft"].items():
        assert isinstance(beside, list) and set(beside) <= set(_ROWS) - {code}, defect


def test_defects_and_rows_name_each_other() -> None:
    named = [name for row in _ROWS.values() for name in row["craft"]]
    assert sorted(named) == sorted(item.name for item in DEFECTS)


def test_the_loader_agrees_with_the_file() -> None:
    assert list(catalogue()) == list(_ROWS)
    row = catalogue()["N02"]
    assert (row.code, row.safe, row.fix, row.adopt, row.group) == ("N02", "refused", None, False, None)
    assert row.craft == {"cut-note": (), "descsz": ("N01", "N06", "N15")}


def test_no_set_of_codes_is_left_in_the_code() -> None:
    """Properties that several codes share are fields of their rows."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict):
                items = node.keys if isinstance(node, ast.Dict) else node.elts
                codes = {item.value for item in items if isinstance(item, ast.Constant)} & set(_ROWS)
                assert len(codes) < 2, f"{path}:{node.lineno}: {codes}"
