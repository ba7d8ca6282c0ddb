"""The sections of a migration stream: one a device, in the order in which QEMU restores them."""

from __future__ import annotations

from typing import Final, NamedTuple

SECTION_HEADER: Final = 14
"""Bytes of the header of a section besides its name: a type, the id, a length, the instance and the version."""


class Section(NamedTuple):
    """The state of one instance of a device; its bytes are those between its header and its footer."""

    id: int
    name: str
    """The name of the state, as `cpu` or `0000:00:03.0/virtio-net`: any characters, from the file."""
    instance: int
    version: int
    at: int
    """Offset of the first byte of the state in the stream, after the header of the section."""
    length: int
    """Bytes."""
