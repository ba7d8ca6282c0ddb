"""The records of a flattened file. Format: makedumpfile's IMPLEMENTATION, "Flattened format"; QEMU 7.2 dump.c."""

from __future__ import annotations

from typing import Final

from vmci_tui.common.named_struct import NamedStruct

SIGNATURE: Final = b"makedumpfile\0"
HEADER_SIZE: Final = 4096
"""Bytes of the file before its first record."""
HEADER: Final = NamedStruct.of("big", ("signature", "type", "version"), ("16s", "q", "q"))
RECORD: Final = NamedStruct.of("big", ("offset", "size"), ("q", "q"))
"""The header of a record: the offset of its bytes in the plain file, and their number."""
END: Final = RECORD.pack(-1, -1)
"""The end mark, after the last record."""
