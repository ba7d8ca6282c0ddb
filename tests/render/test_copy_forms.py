from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.properties import given
from vmci_tui.common.safe_text import Safe, literal, visible
from vmci_tui.formats.hex_dump import read_pasted
from vmci_tui.render.copy_formats import FORMS, CopiedBytes, as_c, as_hex, as_hexdump, as_json, as_python, as_text

_PIECES = st.builds(
    CopiedBytes, st.binary(max_size=80), st.builds(visible, st.binary(max_size=12)), st.none() | st.integers(0, 1 << 33)
)


@given(_PIECES)
def test_every_form_is_printable_and_gives_the_bytes_back(piece: CopiedBytes) -> None:
    for form in FORMS:
        written = form.write(piece)
        assert all(line.isascii() and (line.isprintable() or not line) for line in written.split("\n")), form.name
    ended = piece.data.removesuffix(b"\n")
    assert b"\n".join(literal(line) for line in as_text(piece).split("\n")) == ended
    assert bytes.fromhex(as_hex(piece)) == piece.data
    assert ast.literal_eval(as_python(piece).removeprefix("data = ")) == piece.data
    read = json.loads(as_json(piece))
    assert bytes.fromhex(read["hex"]) == piece.data and literal(read["text"]) == piece.data
    assert (read["offset"], read["length"], read["what"]) == (piece.offset, len(piece.data), piece.what)
    digits = re.findall(r"0x([0-9a-f]{2})\b", as_c(piece).split("*/")[1])
    assert bytes.fromhex("".join(digits)) == piece.data
    if piece.data:
        assert read_pasted(as_hexdump(piece)) == piece.data


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.parametrize("data", [b"", b"\0\xff*/PAGESIZE\n" * 3])
def test_the_array_compiles(data: bytes, tmp_path: Path) -> None:
    source = tmp_path / "a.c"
    source.write_text(as_c(CopiedBytes(data, Safe("a */ name ??/"), 3)) + "\n")
    ran = subprocess.run(["cc", "-Wall", "-Wno-unused", "-c", "-o", "/dev/null", str(source)], capture_output=True)
    assert ran.returncode == 0, ran.stderr
