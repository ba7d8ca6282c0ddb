"""The guest's side of fw_cfg: `etc/vmcoreinfo` read and written by DMA (docs/specs/fw_cfg.rst)."""

from __future__ import annotations

import struct
from typing import Final, Literal

from vmci_tui.formats.fw_cfg_entry import LENGTH, Write
from vmci_tui.qemu import QemuError
from vmci_tui.qemu.qtest import QTest

_NAME: Final = b"etc/vmcoreinfo"
_DIRECTORY: Final = 0x19
_READ, _SKIP, _SELECT, _WRITE = 0x02, 0x04, 0x08, 0x10
_IO_HIGH, _IO_LOW = 0x514, 0x518
"""The DMA register of a PC, in two halves; the second starts the transfer."""
_MMIO: Final = 0x0902_0010
"""The DMA register of arm's `virt`."""
_REQUEST: Final = struct.Struct(">IIQ")
_FILE: Final = struct.Struct(">IHH56s")
_MOST_FILES: Final = 256
_NOWHERE: Final = 0x00FF_FFFF_0000_0000
"""No guest here has memory at this address."""
_SCRATCH: Final = 0x1_0000
"""Offset in RAM of the request and its data."""
_DATA: Final = 0x1000
SCRATCH_LENGTH: Final = 0x1_0000


class FwCfg:
    """The entry, accessed like a guest does."""

    def __init__(self, qtest: QTest, kind: Literal["io", "mmio"], ram_base: int) -> None:
        self._qtest = qtest
        self._kind = kind
        self.scratch = ram_base + _SCRATCH
        self._key = self._find()

    def _find(self) -> int:
        count = int.from_bytes(self._read(_DIRECTORY, 4), "big")
        files = self._read(_DIRECTORY, 4 + min(count, _MOST_FILES) * _FILE.size)[4:]
        for _size, key, _reserved, name in _FILE.iter_unpack(files):
            if name.rstrip(b"\0") == _NAME:
                return int(key)
        raise QemuError("this QEMU has no etc/vmcoreinfo", "use one with -device vmcoreinfo: 2.11 or later")

    def entry(self) -> bytes:
        """Return the 16 bytes that QEMU has."""
        return self._read(self._key, LENGTH)

    def write(self, write: Write) -> bool:
        """Do one write to the entry; return False for a DMA error."""
        data = self.scratch + _DATA
        if write.data is None:
            data = _NOWHERE
        else:
            self._qtest.write(data, write.data[: SCRATCH_LENGTH - _DATA])
        self._transfer(self._key << 16 | _SELECT | _SKIP, write.offset, 0)
        return self._transfer(_WRITE, write.length, data)

    def clear(self) -> None:
        """Remove the requests from guest memory."""
        self._qtest.write(self.scratch, bytes(SCRATCH_LENGTH))

    def _read(self, key: int, length: int) -> bytes:
        if not self._transfer(key << 16 | _SELECT | _READ, length, self.scratch + _DATA):
            raise QemuError("QEMU's fw_cfg does not answer by DMA")
        return self._qtest.read(self.scratch + _DATA, length)

    def _transfer(self, control: int, length: int, data: int) -> bool:
        self._qtest.write(self.scratch, _REQUEST.pack(control, length, data))
        # The register is big-endian, whatever the guest is; qtest swaps what it is given.
        if self._kind == "io":
            self._qtest.outl(_IO_HIGH, _swapped(self.scratch >> 32, 4))
            self._qtest.outl(_IO_LOW, _swapped(self.scratch & 0xFFFF_FFFF, 4))
        else:
            self._qtest.writeq(_MMIO, _swapped(self.scratch, 8))
        return int.from_bytes(self._qtest.read(self.scratch, 4), "big") == 0


def _swapped(value: int, length: int) -> int:
    return int.from_bytes(value.to_bytes(length, "big"), "little")
