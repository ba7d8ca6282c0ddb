"""Decode one page by the flags of its descriptor."""

from __future__ import annotations

from vmci_tui.formats.compression import COMPRESSIONS, Decompress, decompressor


class PageDecoder:
    """Decodes pages of one size."""

    def __init__(self, block_size: int) -> None:
        self._block_size = block_size
        self._known: dict[int, Decompress | None] = {}

    def first_bytes(self, data: bytes, flags: int, length: int) -> bytes | None:
        """Return the first `length` bytes of the page that is stored as `data`; None if it is damaged.

        Raises OpenError if the package for the compression is missing.
        """
        flag = flags & COMPRESSIONS
        if not flag:
            return data[:length] if len(data) == self._block_size else None
        if flag not in self._known:
            self._known[flag] = decompressor(flag)
        decompress = self._known[flag]
        return None if decompress is None else decompress(data, length)
