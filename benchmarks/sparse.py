"""Make a sparse dump of any size: real headers, then memory that is one hole."""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path

SAMPLE = Path(__file__).parent.parent / "sample_dumps" / "amd64-note.elf-win4k"
"""A dump as QEMU writes it: 64 bit, one PT_LOAD, its bytes last in the file."""

_PT_LOAD = 1


def make_sparse(path: Path, size: int, sample: Path = SAMPLE) -> Path:
    """Write the sample with its PT_LOAD stretched so that the file has `size` bytes."""
    shutil.copyfile(sample, path)
    path.chmod(0o644)
    with path.open("r+b") as file:
        head = file.read(1024)
        (phoff,) = struct.unpack_from("<Q", head, 32)
        (phnum,) = struct.unpack_from("<H", head, 56)
        for at in range(phoff, phoff + 56 * phnum, 56):
            kind, _, offset = struct.unpack_from("<IIQ", head, at)
            if kind == _PT_LOAD:
                file.seek(at + 32)
                file.write(struct.pack("<QQ", size - offset, size - offset))
    os.truncate(path, size)
    return path
