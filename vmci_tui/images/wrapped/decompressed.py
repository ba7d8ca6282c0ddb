"""Read a compressed file at any offset, in bounded memory and without a file beside it.

Decompressing goes on from the last place, or from the nearest place that was passed and can be gone on from: each
few MiB for gzip, whose decoders can be copied; the start of the file for bzip2, xz and zstd. What was read last is
kept, so reads near each other cost nothing; of bzip2, xz and zstd also what was read before, packed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator
from threading import RLock
from typing import Final

from vmci_tui.common.errors import OpenError
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.images.wrapped.decoders import Compression, Decoder, Gzip
from vmci_tui.images.wrapped.packed_chunks import PackedChunks
from vmci_tui.layers.file import Source

CHUNK: Final = 1 << 20
"""Bytes that are decompressed at a time, and kept together."""
_KEPT: Final = 128
"""Chunks that are kept."""
_INPUT: Final = 256 << 10
_PLACES: Final = 512
"""Copies of decoders that are kept: 20 MB. When there are more, every other one is dropped."""
_FREE, _MOST_TIMES = 1 << 30, 4096
"""A file of more than 1 GiB may be this many times as long as its compressed bytes. Even streams of zeros are not:
each page has an address of its own."""


class _Place:
    """A decoder at one place of the file."""

    def __init__(self, file: Source, at: int, compression: Compression, decoder: Decoder) -> None:
        self.chunk = 0
        """The number of the chunk that comes next."""
        self.fault = ""
        """Why the bytes end too early."""
        self._file, self._at, self._compression, self._decoder = file, at, compression, decoder

    def copy(self) -> _Place | None:
        if not isinstance(self._decoder, Gzip):
            return None
        other = _Place(self._file, self._at, self._compression, self._decoder.copy())
        other.chunk = self.chunk
        return other

    @property
    def consumed(self) -> int:
        """The offset in the file up to which it was read."""
        return self._at

    def next(self) -> bytes:
        """Return the next chunk; it is shorter at the end."""
        out = bytearray()
        while len(out) < CHUNK and not self.fault:
            if self._decoder.eof:
                if not self._next_member():
                    break
                continue
            data = b""
            if self._decoder.needs_input:
                data = self._file.read(self._at, _INPUT)
                self._at += len(data)
                if not data:
                    self.fault = f"its {self._compression.name} data is cut off"
                    break
            try:
                out += self._decoder.decompress(data, CHUNK - len(out))
            except OpenError:
                raise
            except Exception as error:  # each package has an error of its own
                self.fault = f"its {self._compression.name} data is damaged before offset {self._at}: {error}"
        self.chunk += 1
        return bytes(out)

    def _next_member(self) -> bool:
        """Begin the next member, if there is one: what follows may also be padding."""
        self._at -= len(self._decoder.unused_data)
        if self._file.read(self._at, len(self._compression.magic)) != self._compression.magic:
            return False
        self._decoder = self._compression.start()
        return True


class DecompressedSource:
    """The bytes that a file has from an offset on, decompressed. Made by `open_decompressed`."""

    def __init__(self, file: Source, at: int, compression: Compression) -> None:
        self.size = 0
        self.fault = ""
        """Why the bytes end too early; empty if they do not."""
        self._lock = RLock()
        """Judgements, searches and the screen read at the same time, and there is one decoder."""
        self._start: Callable[[], _Place] = lambda: _Place(file, at, compression, compression.start())
        self._place = self._start()
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._packed = compression.packing and PackedChunks(compression.packing())
        self._packs = False
        self._places: list[_Place] = []
        self._every = 4

    def read(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        if offset < 0 or length <= 0:
            return b""
        first, last = offset // CHUNK, (offset + length - 1) // CHUNK
        into = offset - first * CHUNK
        if first == last:
            return self._chunk(first)[into : into + length]
        return b"".join(self._chunk(number) for number in range(first, last + 1))[into : into + length]

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        if start < (end := min(end, self.size)):
            yield start, end

    def measure(self, file: Source, progress: Progress) -> None:
        """Decompress all of it once, which tells its size, and keep the end. Raises OpenError, Cancelled.

        Nothing is packed meanwhile: the entry is at the end, and is there as soon as the bytes are decompressed.
        """
        while len(data := self._next()) == CHUNK:
            self.size += CHUNK
            if self._place.chunk % 16 == 0:
                progress("decompressing", self._place.consumed, file.size)
                if self.size > _FREE + _MOST_TIMES * self._place.consumed:
                    words = f"{file.size} bytes decompress to more than {self.size}: no saved VM is like that"
                    raise OpenError(words, "the file is damaged, or made to fill memory")
        self.size += len(data)
        self.fault = self._place.fault
        self._packs = True

    def _chunk(self, number: int) -> bytes:
        with self._lock:
            return self._chunk_alone(number)

    def _chunk_alone(self, number: int) -> bytes:
        if (kept := self._kept.get(number)) is not None:
            self._kept.move_to_end(number)
            return kept
        if self._packed is not None and (data := self._packed.get(number)) is not None:
            return self._keep(number, data)
        self._go_to(number)
        while True:
            at, passed = self._place.chunk, self._next()
            if at == number:
                return passed

    def _next(self) -> bytes:
        """Decompress the next chunk and keep it; keep also a copy of the place before it, now and then."""
        number = self._place.chunk
        newest = self._places[-1].chunk if self._places else 0
        if number >= newest + self._every and (copy := self._place.copy()) is not None:
            self._places.append(copy)
            if len(self._places) > _PLACES:
                del self._places[::2]
                self._every *= 2
        return self._keep(number, self._place.next())

    def _keep(self, number: int, data: bytes) -> bytes:
        """Keep a chunk, and the one that makes room for it packed, if it is not yet. Returns `data`."""
        self._kept[number] = data
        if len(self._kept) > _KEPT:
            oldest, dropped = self._kept.popitem(last=False)
            if self._packed is not None and self._packs:
                self._packed.add(oldest, dropped)
        return data

    def _go_to(self, number: int) -> None:
        """Choose the place to decompress from: the nearest before a chunk."""
        index = bisect_right(self._places, number, key=lambda place: place.chunk) - 1
        passed = self._places[index] if index >= 0 else None
        if passed is not None and not passed.chunk <= self._place.chunk <= number:
            self._place = passed.copy() or self._start()
        elif passed is None and self._place.chunk > number:
            self._place = self._start()


def first_bytes(file: Source, compression: Compression) -> bytes:
    """Return what the first bytes of a file decompress to, at most a chunk. Raises OpenError, PackageMissing."""
    return _Place(file, 0, compression, compression.start()).next()


def open_decompressed(
    file: Source, at: int, compression: Compression, progress: Progress = no_progress
) -> DecompressedSource:
    """Return the decompressed bytes of a file from `at` on; all of it is decompressed once to know its size.

    Raises OpenError, PackageMissing, and Cancelled from `progress`.
    """
    source = DecompressedSource(file, at, compression)
    source.measure(file, progress)
    return source
