"""Test the lines that the two witnesses show, over real memory: false ones are never confirmed."""

from __future__ import annotations

import pytest

from tests.opened_files import open_document
from tests.paths import SAMPLES
from vmci_tui.containers.guest import guest_of
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.lines.proved_line import ProvedLine, Verdict
from vmci_tui.kernel.lines.witnessed import with_witnesses
from vmci_tui.proof import prove

_KEYS = (b"SYMBOL(init_uts_ns)", b"OFFSET(uts_namespace.name)", b"SYMBOL(swapper_pg_dir)")


def _judged(name: str, key: bytes, add: int) -> Verdict:
    """Return the verdict on a line that the kernel's tables do not have, with a number added to its value."""
    document = open_document(str(SAMPLES / name))
    text = document.state.vmcoreinfo
    assert document.dump is not None and text is not None
    value = text.get(key)
    assert value is not None
    symbol = key.startswith(b"SYMBOL")
    value = b"%x" % (int(value, 16) + add) if symbol else b"%d" % (int(value) + add)
    text = Vmcoreinfo(text.with_value(key, value).text)
    unknown = ProvedLine(1, key, value, "unknown", None, "", "not in the table")
    (line,) = with_witnesses([unknown], prove(text, guest_of(document.dump))).lines
    return line.verdict


@pytest.mark.parametrize("name", ["amd64-cut-note.elf", "arm64-cut-note.elf", "s390x-cut-note.elf"])
@pytest.mark.parametrize("key", _KEYS, ids=lambda key: key.decode())
def test_true_lines_are_confirmed_and_false_ones_are_not(name: str, key: bytes) -> None:
    assert _judged(name, key, 0) == "confirmed"
    for add in (1, 8, 0x1000, 0x200000):
        assert _judged(name, key, add) != "confirmed"
