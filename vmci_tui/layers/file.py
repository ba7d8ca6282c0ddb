"""Read within bounds a file that may be 1 TiB long, cut off, or changing.

Always `pread`, never `mmap`: a file that shrinks under a mapping kills the process
with SIGBUS, and a search in a mapping holds the interpreter's lock for seconds.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import stat
import warnings
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, Protocol, Self, runtime_checkable

from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe, visible

HEAD_LIMIT = 64 << 20
"""The most bytes of headers and notes that opening reads, whatever a header claims."""


_LOCKS_READ = 1 << 20
"""The most characters that are read of the system's list of locks."""


class Source(Protocol):
    """Bytes that can be read at any offset. Reads past the end return fewer bytes."""

    @property
    def size(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes: ...

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the parts of [start, end) that are not holes, in order."""
        ...


class Identity(NamedTuple):
    """Identifies the file that was opened, to notice another one or a change (mtime in ns)."""

    device: int
    inode: int
    size: int
    mtime: int


OnDisk = Literal["same", "gone", "replaced", "changed"]
"""What became of an open file: nothing, it was deleted, its name is another file's, or its bytes changed."""


class BytesSource:
    """Bytes in memory, such as a blob."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        return len(self._data)

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length] if offset >= 0 else b""

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        if start < (end := min(end, self.size)):
            yield start, end


class FileSource:
    """A regular file, opened for reading only and never changed through this object."""

    _fd = -1

    def __init__(self, path: str) -> None:
        """Open a file. Raises OpenError, with a hint, if it cannot be read at any offset."""
        self.path = path
        if not path:
            raise OpenError("the name of the file is empty", "is a variable of the shell not set?")
        try:
            # O_NONBLOCK: opening a FIFO must not wait for a writer.
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (OSError, ValueError) as error:
            raise OpenError(f"cannot open {visible(path)}: {reason(error)}", _hint(error)) from None
        status = os.fstat(self._fd)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            if stat.S_ISFIFO(status.st_mode):
                hint = "its bytes are read in any order: write them to a file first"
                raise OpenError(f"{visible(path)} is not a regular file but a pipe", hint)
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise OpenError(f"{visible(path)} is {kind}", "name a file")
        self.identity = Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        self._saved: Identity | None = None

    @property
    def size(self) -> int:
        return self.identity.size

    @property
    def name(self) -> Safe:
        return visible(self.path)

    def fileno(self) -> int:
        return self._fd

    def read(self, offset: int, length: int) -> bytes:
        """Read bytes; fewer only past the end at opening. Raises OpenError, also if the file was cut since.

        So no caller has to expect fewer bytes than `size` allows.
        """
        if offset < 0 or length <= 0 or offset >= self.size:
            return b""
        length = min(length, self.size - offset)
        try:
            data = os.pread(self._fd, length, offset)
            while data and len(data) < length:
                more = os.pread(self._fd, length - len(data), offset + len(data))
                if not more:
                    break
                data += more
        except OSError as error:
            raise self._unreadable(offset, error) from None
        if len(data) < length:
            raise self._cut(offset + len(data))
        return data

    def read_into(self, offset: int, into: memoryview) -> int:
        """Fill a buffer, as `read` reads; return how many bytes there were."""
        return self.read_parts(offset, (into,))

    def read_parts(self, offset: int, parts: Sequence[memoryview]) -> int:
        """Fill several buffers with consecutive bytes, as `read` reads; return how many bytes there were."""
        wanted = min(sum(map(len, parts)), self.size - offset)
        if offset < 0 or wanted <= 0:
            return 0
        try:
            got = os.preadv(self._fd, parts, offset)
        except OSError as error:
            raise self._unreadable(offset, error) from None
        if 0 < got < wanted:
            return got + self.read_parts(offset + got, list(_after(parts, got)))
        if not got:
            raise self._cut(offset)
        return wanted

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        end = min(end, self.size)
        while start < end:
            try:
                data = os.lseek(self._fd, start, os.SEEK_DATA)
                hole = os.lseek(self._fd, data, os.SEEK_HOLE)
            except OSError as error:
                if error.errno == errno.ENXIO:  # only a hole up to the end
                    return
                data, hole = start, end  # a file system without holes
            if data >= end:
                return
            yield data, min(hole, end)
            start = hole

    def _unreadable(self, offset: int, error: OSError) -> OpenError:
        return OpenError(f"cannot read {self.name} at {offset:#x}: {reason(error)}", "copy it elsewhere")

    def _cut(self, size: int) -> OpenError:
        words = f"{self.name} was cut to {size} bytes or less while it was read"
        return OpenError(words, "open it again when nothing writes to it")

    def lock(self) -> bool:
        """Take the advisory lock on the file while it is open; False if another process has it."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # a file system without locks: no process can have it
        return True

    def lock_holder(self) -> int | None:
        """Return the process that has the lock, as Linux lists locks; None if that is not known."""
        status = os.fstat(self._fd)
        wanted = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
        try:
            with open("/proc/locks", encoding="ascii", errors="replace") as listed:
                lines = listed.read(_LOCKS_READ).splitlines()
        except OSError:
            return None
        # 1: FLOCK  ADVISORY  WRITE 4242 fe:00:1234 0 EOF (proc_locks(5))
        held = (words for line in lines if len(words := line.split()) > 5 and words[1] == "FLOCK")
        return next(
            (int(words[4]) for words in held if words[5] == wanted and words[4].isdecimal() and words[4] != "0"), None
        )

    def current(self) -> Identity:
        """Return the file's identity now, to compare it with the one at opening."""
        status = os.fstat(self._fd)
        return Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    def on_disk(self) -> OnDisk:
        """Return what is under the file's name now, as far as that can be told: `same` once it is closed."""
        if self._fd < 0:
            return "same"
        try:
            status = os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return "gone"
        except OSError:
            return "same"
        now = Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if now[:2] != self.identity[:2]:
            return "replaced"
        return "same" if now in (self.identity, self._saved) else "changed"

    def note_save(self) -> None:
        """Remember the file as a save in place left it: `on_disk` reports only what other programs do."""
        self._saved = self.current()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if self._fd >= 0:
            self.close()
            warnings.warn(f"{self.path!r} was not closed", ResourceWarning, source=self, stacklevel=2)

    def close(self) -> None:
        """Close the file and release its lock; a second call does nothing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def _after(parts: Sequence[memoryview], length: int) -> Iterator[memoryview]:
    """Yield what is left of buffers when the first `length` bytes are filled."""
    for part in parts:
        if length < len(part):
            yield part[length:]
        length = max(length - len(part), 0)


@runtime_checkable
class OverFiles(Protocol):
    """A source whose bytes are those of files, in another order or decoded."""

    files: tuple[FileSource, ...]


def files_of(source: Source) -> tuple[FileSource, ...]:
    """Return the files that a source reads: itself, or those under it; () for bytes in memory."""
    if isinstance(source, FileSource):
        return (source,)
    return source.files if isinstance(source, OverFiles) else ()


def refuse_other(source: Source) -> None:
    """Raise OpenError if a file changed since it was opened: results would hold for neither version."""
    for file in files_of(source):
        if file.current() != file.identity:
            raise OpenError(f"{file.name} has changed while it was read", "try again when nothing writes to it")


def read_small(path: str, limit: int, what: str) -> bytes:
    """Return all bytes of a file that must not exceed `limit` bytes. Raises OpenError."""
    with FileSource(path) as source:
        if source.size > limit:
            raise OpenError(f"{source.name} has {source.size} bytes, too many for {what}", f"at most {limit} are read")
        return source.read(0, source.size)


def is_stream(path: str) -> bool:
    """Return whether this is a pipe, or `-` for standard input: read once, from the start."""
    if path == "-":
        return True
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def read_stream(path: str, limit: int, what: str, patience: float = 60) -> bytes:
    """Return all bytes from a pipe or, for `-`, from standard input, at most `limit`.

    Raises OpenError, also if nothing comes for `patience` seconds: a pipe may have no writer.
    """
    name = "standard input" if path == "-" else visible(path)
    out = bytearray()
    descriptor = -1
    try:
        descriptor = 0 if path == "-" else os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        terminal = os.isatty(descriptor)
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        while len(out) <= limit:
            if not terminal and not waiting.poll(patience * 1000):
                raise OpenError(f"nothing came from {name} for {patience:.0f} seconds", "is a program writing to it?")
            part = os.read(descriptor, limit + 1 - len(out))
            if not part:
                return bytes(out)
            out += part
    except (OSError, ValueError) as error:
        raise OpenError(f"cannot read {name}: {reason(error)}", "write it to a file first") from None
    finally:
        if descriptor > 0:
            os.close(descriptor)
    raise OpenError(
        f"more than {limit} bytes came from {name}, too many for {what}",
        "a dump is read in any order: write it to a file first",
    )


def small_or_stream(path: str, limit: int, what: str) -> bytes:
    """Return all bytes of a small file, of a pipe, or of standard input for `-`. Raises OpenError."""
    return read_stream(path, limit, what) if is_stream(path) else read_small(path, limit, what)


def reason(error: OSError | ValueError) -> str:
    """Return why a file could not be opened, read or written, in the words of the system."""
    if isinstance(error, OSError):
        return (error.strerror or "an error").lower()
    return "no file has such a name" if isinstance(error, UnicodeError) else "the name holds a NUL"


def _hint(error: OSError | ValueError) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EACCES:
        return "QEMU writes dumps that only their owner may read: use sudo, or chown a copy"
    if number in (errno.ENOENT, errno.ELOOP):
        return "check the name"
    if number == errno.ENXIO:
        return "is it the socket of a running QEMU? `qmp:SOCKET` names that VM"
    return ""
