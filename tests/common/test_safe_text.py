from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.faults import corpus
from tests.properties import given
from vmci_tui.common.errors import EditError
from vmci_tui.common.safe_text import literal, pasted, typed_path, visible


@given(st.binary(max_size=200))
def test_visible_text_is_ascii_and_reads_back(data: bytes) -> None:
    shown = visible(data)
    assert all(0x20 <= ord(char) < 0x7F for char in shown)
    assert literal(shown) == data


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"plain", "plain"),
        (b"\x1b[31m", "\\x1b[31m"),
        (b"a\\b", "a\\\\b"),
        (b"[bold]", "[bold]"),
        ("\u202egpj".encode(), "\\xe2\\x80\\xaegpj"),
        (b"\xff\0\n\t\x7f", "\\xff\\x00\\x0a\\x09\\x7f"),
    ],
)
def test_hostile_bytes_are_escaped(data: bytes, shown: str) -> None:
    assert visible(data) == shown


def test_a_file_name_of_any_bytes_is_shown() -> None:
    assert visible(os.fsdecode(b"\xff\x1b")) == "\\xff\\x1b"
    assert set(visible("\ud800")) <= set(map(chr, range(0x20, 0x7F)))


@pytest.mark.parametrize("text", ["\\", "\\n", "\\x", "\\x1", "\\xzz", "é", "\\x 1", "\\x+1"])
def test_a_character_that_is_not_a_byte_is_refused(text: str) -> None:
    with pytest.raises(EditError):
        literal(text)


def test_a_pasted_text_has_no_control_character() -> None:
    assert pasted("a\\x1b\tb\r\n\x1b[1;31mred\x1b[0m caf\u00e9") == "a\\x1b\tb\r\nred caf\u00e9"
    for name, text in corpus.TEXTS.items():
        shown = pasted(text.decode("utf-8", "surrogateescape"))
        assert all(char.isprintable() or char in "\t\r" or "\u0300" <= char <= "\u036f" for char in shown), name
        assert pasted(shown) == shown


def test_a_typed_path_is_read_as_it_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("gr\u00f6\u00dfe.elf", "a\x1bb", "back\\slash", "plain", "nul\\x00"):
        (tmp_path / name).touch()
        assert typed_path(f" {visible(str(tmp_path / name))} ") == str(tmp_path / name)
        assert typed_path(f"~/{name}") == str(tmp_path / name), "as it is typed"
    assert typed_path(str(tmp_path / "new\\xc3\\xb6.elf")) == str(tmp_path / "new\u00f6.elf")
    assert typed_path("a\\x00b") == "a\\x00b"
