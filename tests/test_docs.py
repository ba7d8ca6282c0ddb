"""Test that the pages of findings and readers agree with the code."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType
from typing import Any

from tests.paths import DOCS
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.readers import qemu
from vmci_tui.readers.rule import Reader
from vmci_tui.readers.verdicts import READERS

_DOCS = DOCS
_ALL: tuple[Reader[Any], ...] = (qemu.READER, *READERS)


def _make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_docs", _DOCS / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_are_made_from_the_code() -> None:
    for name, page in _make().PAGES.items():
        assert (_DOCS / name).read_text() == "\n".join(page()) + "\n", "make them anew: python docs/make.py"


def test_every_rule_has_a_finding_a_reason_and_a_source() -> None:
    for reader in _ALL:
        assert len({(rule.name, rule.since, rule.until) for rule in reader.rules}) == len(reader.rules), reader.name
        for rule in reader.rules:
            assert rule.cause in catalogue(), (reader.name, rule.name)
            assert rule.why.endswith((".", ")")) and rule.why.isascii() and rule.why.isprintable(), rule.name
            assert re.search(r"[0-9]", rule.source) and ("." in rule.source or "seen" in rule.source), rule.source


def test_codes_are_grouped_and_in_order() -> None:
    codes = list(catalogue())
    assert all(re.fullmatch(r"[ENTCM]\d\d", code) for code in codes)
    assert codes == sorted(codes, key=lambda code: ("ENTCM".index(code[0]), code))
