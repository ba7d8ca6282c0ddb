"""A VM as it answered once: guests of Debian, asked with `--no-stop` where their note is."""

from __future__ import annotations

import json
import lzma
from typing import Any, Final

from tests.live.fake_qemu import FakeQemu
from tests.paths import DATA

_PAGE: Final = 4096


class RecordedVm(FakeQemu):
    """Has the pages of memory that were read then; others are zeros."""

    def __init__(self, name: str) -> None:
        super().__init__()
        head, _, raw = lzma.decompress((DATA / "live" / f"{name}.vm.xz").read_bytes()).partition(b"\n")
        said: dict[str, Any] = json.loads(head)
        self.arch, self.map, self.registers = said["arch"], said["map"], said["registers"]
        self.translated, self.note = said["translated"], int(said["note"])
        self.named = []
        self._kept = {at: raw[number * _PAGE :][:_PAGE] for number, at in enumerate(said["pages"])}

    def memory(self, paddr: int, length: int) -> bytes:
        return b"".join(self._kept.get(at, bytes(_PAGE)) for at in range(paddr, paddr + length, _PAGE))

    def change(self, paddr: int, page: bytes) -> None:
        """Put another page of memory in place of one."""
        assert len(page) == _PAGE
        self._kept[paddr] = page
