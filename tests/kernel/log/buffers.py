"""Write log_buf into memory as kernels before 5.10 did, independently of the reader.

Records: log_store() of kernel/printk/printk.c, Linux 5.4. Text: emit_log_char() of kernel/printk.c, Linux 2.6.32.
"""

from __future__ import annotations

from tests.kernel.log.rings import Place, Said
from tests.proof.synthetic import PAGE, Ram


class BufferWriter:
    """log_buf, its variables from `at`, and the buffer two pages after them."""

    def __init__(self, place: Place, size: int) -> None:
        self.ram, self.place, self.size = Ram(place.order), place, size
        self.at, self.buffer = place.at, place.at + 2 * PAGE
        for page in range(self.at - place.shift, self.at - place.shift + 8 * PAGE, PAGE):
            self.ram.pages[page // PAGE] = bytearray(PAGE)
        self.put(self.at, self.buffer, place.word)
        self.put(self.at + 8, size, 4)

    def put(self, va: int, value: int, size: int) -> None:
        self.ram.word(va - self.place.shift, value, size)

    def bytes(self, offset: int, data: bytes) -> None:
        self.ram.put(self.buffer + offset - self.place.shift, data)


class RecordWriter(BufferWriter):
    """Records with 16 bytes of head, or 20 with the caller."""

    def __init__(self, place: Place, size: int = 1024, name: str = "printk_log", callers: bool = False) -> None:
        super().__init__(place, size)
        self.name, self.head = name, 20 if callers else 16
        self.first = self.next = 0
        self.lengths: list[tuple[int, int]] = []
        self.ends()

    def ends(self) -> None:
        self.put(self.at + 12, self.first, 4)
        self.put(self.at + 16, self.next, 4)

    def add(self, said: Said, extra: bytes = b"") -> None:
        """Log a record; `extra` is its dictionary."""
        length = -(-(self.head + len(said.text) + len(extra)) // 4) * 4
        while not self.has_room(length):
            self.first = self.lengths.pop(0)[1]
        if self.next + length + self.head > self.size:
            self.bytes(self.next, bytes(self.head))
            self.next = 0
        order = self.ram.order
        level = 2 | said.level << 5 if order == "little" else 2 << 3 | said.level
        head = said.nanoseconds.to_bytes(8, order)
        head += b"".join(value.to_bytes(2, order) for value in (length, len(said.text), len(extra)))
        head += bytes((said.facility, level)) + (said.caller.to_bytes(4, order) if self.head == 20 else b"")
        self.bytes(self.next, (head + said.text + extra).ljust(length, b"\0"))
        start, self.next = self.next, self.next + length
        if self.lengths:
            self.lengths[-1] = (self.lengths[-1][0], start)
        self.lengths.append((start, self.next))
        self.ends()

    def has_room(self, length: int) -> bool:
        if self.next > self.first or not self.lengths:
            return max(self.size - self.next, self.first) >= length + self.head
        return self.first - self.next >= length + self.head

    def keys(self) -> bytes:
        name, at = self.name, self.at
        return (
            f"SYMBOL(log_buf)={at:x}\nSYMBOL(log_buf_len)={at + 8:x}\nSYMBOL(log_first_idx)={at + 12:x}\n"
            f"SYMBOL(log_next_idx)={at + 16:x}\nSIZE({name})={self.head}\nOFFSET({name}.ts_nsec)=0\n"
            f"OFFSET({name}.len)=8\nOFFSET({name}.text_len)=10\nOFFSET({name}.dict_len)=12\n"
        ).encode() + self.place.line


class TextWriter(BufferWriter):
    """Characters one after another, in a buffer whose size is a power of two."""

    end = 0

    def add(self, line: bytes) -> None:
        for byte in line + b"\n":
            self.bytes(self.end % self.size, bytes((byte,)))
            self.end += 1
        self.put(self.at + 12, self.end, 4)
        self.put(self.at + 16, min(self.end, self.size), 4)

    def keys(self) -> bytes:
        at = self.at
        return (
            f"SYMBOL(log_buf)={at:x}\nSYMBOL(log_buf_len)={at + 8:x}\nSYMBOL(log_end)={at + 12:x}\n"
            f"SYMBOL(logged_chars)={at + 16:x}\n"
        ).encode() + self.place.line
