"""Look for private texts of a booted guest in cuts of its dump: plans `*-secrets` plant them wherever a guest has such.

The name of the host is in the utsname by which a note is proved, and the log is kept if it is wanted. Nothing else is,
and what is kept is listed. A text that is cut off somewhere counts: programs copy one of them all the time.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.real.booted.guest import Guest, guests
from vmci_tui.cli.run import main

_SECRETS = [guest for guest in guests() if str(guest).endswith("-secrets")]
_PLANTED = re.compile(rb"private-in-[a-z-]{4,}|-all-the-time")
_IN_REGISTERS = b"-all-the-time"
"""What the vector registers of a CPU may have, which only --mask leaves out."""
_TABLES = "note,proof,cpus,symbols,types"
_SPACES = (b"host-name", b"kernel-stack")
"""Names of the host and its domain: without symbols of variables those of other UTS namespaces are looked at too."""

pytestmark = [pytest.mark.long, pytest.mark.skipif(not _SECRETS, reason="VMCI_GUESTS has no guest with secrets")]


def _kept(path: Path) -> set[bytes]:
    """Return what was planted, without its end; texts that were cut off as they are."""
    return {re.sub(rb"^private-in-|-$", b"", text) for text in _PLANTED.findall(path.read_bytes())}


@pytest.mark.parametrize("guest", _SECRETS, ids=str)
@pytest.mark.parametrize(
    ("options", "known"),
    [
        (("--mask", "--no-log"), (b"host-name",)),
        (("--mask",), (b"host-name", b"log")),
        (("--no-log",), (b"host-name", _IN_REGISTERS)),
        (("--mask", "--no-log", "--keep", _TABLES), _SPACES),
        (("--mask", "--keep", f"{_TABLES},log"), (*_SPACES, b"log")),
    ],
    ids=str,
)
def test_planted_texts_are_absent_or_listed(
    guest: Guest, options: tuple[str, ...], known: tuple[bytes, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {b"page-cache", b"environment", b"argument", b"pipe", b"variable", b"kernel-stack"} < _kept(guest.dump)
    out = tmp_path / "cut.elf"
    capsys.readouterr()
    assert main(["cut", str(guest.dump), "-o", str(out), "--json", *options]) == 0
    listed = "\n".join(json.loads(capsys.readouterr().out)["cut"]["kept_text"])
    assert _kept(out) <= set(known)
    assert all(text.decode() in listed for text in _kept(out))
