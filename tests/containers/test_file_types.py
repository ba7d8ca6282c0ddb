from __future__ import annotations

import pytest

from tests.dumps import factory
from vmci_tui.containers.file_types import describe_known


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"QEVM\0\0\0\3", "migration stream"),
        (b"PAGEDU64", "Windows"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"OSRELEASE=6.1", "text of a note"),
        (factory.note(), "raw VMCOREINFO note"),
        (factory.note(order="big"), "raw VMCOREINFO note"),
        (factory.note()[:30], "raw VMCOREINFO note"),
    ],
)
def test_a_known_file_has_a_type_and_a_hint(head: bytes, what: str) -> None:
    known = describe_known(head)
    assert known is not None and what in known[0] and known[1]


@pytest.mark.parametrize("head", [b"", bytes(16), b"\x7fEL", b"anything", bytes(range(64))])
def test_nothing_is_guessed(head: bytes) -> None:
    assert describe_known(head) is None
