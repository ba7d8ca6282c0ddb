"""Make BTF with chosen structs, as a kernel would have it of itself."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.types.btf import Btf, Kind, read_btf


def types_with(structs: Mapping[str, tuple[int, Mapping[str, int]]], order: ByteOrder = "little") -> Btf:
    """Return types with these structs: of each its size and where its members are, in bytes; each member has eight.

    Members `outer.inner` are in a struct of its own, which begins at the first of them.
    """
    prefix, names = "<" if order == "little" else ">", bytearray(1)
    body = struct.pack(f"{prefix}IIII", 0, Kind.INT << 24, 8, 64)

    def named(name: str) -> int:
        if not name:
            return 0
        names.extend(name.encode() + b"\0")
        return len(names) - len(name) - 1

    def added(name: str, size: int, members: Mapping[str, tuple[int, int]]) -> bytes:
        """Return a struct whose members have these types and offsets."""
        head = struct.pack(f"{prefix}III", named(name), Kind.STRUCT << 24 | len(members), size)
        return head + b"".join(
            struct.pack(f"{prefix}III", named(one), kind, 8 * at) for one, (kind, at) in members.items()
        )

    last = 1
    for name, (size, members) in structs.items():
        found: dict[str, tuple[int, int]] = {}
        for outer in dict.fromkeys(path.partition(".")[0] for path in members):
            inner = {path.partition(".")[2]: at for path, at in members.items() if path.partition(".")[0] == outer}
            start = min(inner.values())
            if "" not in inner:
                body += added("", 8, {member: (1, at - start) for member, at in inner.items()})
                last += 1
            found[outer] = (1 if "" in inner else last, start)
        body += added(name, size, found)
        last += 1
    head = struct.pack(f"{prefix}HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(body), len(body), len(names))
    return read_btf(head + body + bytes(names), order, 8)
