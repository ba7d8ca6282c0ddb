"""How drgn reads the text of vmcoreinfo: line by line, strictly, the last of two keys wins.

A line ends with a newline; bytes after the last newline are ignored. drgn stops at the
first line that it cannot parse, so the first fault of a text decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property, partial
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import visible
from vmci_tui.readers.rule import Form, Value
from vmci_tui.readers.shared.c_numbers import ULONG_MAX, as_text, presence, shown_decimal, shown_hex, strtoull
from vmci_tui.readers.shared.text_line import TextLine

BASES: Final[Mapping[bytes, int]] = {
    b"PAGESIZE": 0,
    b"KERNELOFFSET": 16,
    b"KERNELOFFPHYS": 16,
    b"SYMBOL(swapper_pg_dir)": 16,
    b"LENGTH(mem_section)": 0,
    b"NUMBER(SECTION_SIZE_BITS)": 0,
    b"NUMBER(MAX_PHYSMEM_BITS)": 0,
    b"NUMBER(pgtable_l5_enabled)": 0,
    b"NUMBER(kimage_voffset)": 0,
    b"NUMBER(phys_base)": 0,
    b"NUMBER(KERNELPACMASK)": 16,
    b"NUMBER(VA_BITS)": 0,
    b"NUMBER(TCR_EL1_T1SZ)": 0,
}
"""drgn 0.3.0, drgn_program_parse_vmcoreinfo.inc.strswitch: the numbers, each with its base."""
_OTHERS: Final = (b"OSRELEASE", b"BUILD-ID", b"CRASHTIME", b"CONFIG_ARM_LPAE")
_LINE: Final = re.compile(rb"^(" + b"|".join(map(re.escape, (*BASES, *_OTHERS))) + rb")=([^\n]*)\n", re.MULTILINE)
_BITS: Final = (b"NUMBER(SECTION_SIZE_BITS)", b"NUMBER(MAX_PHYSMEM_BITS)")
_BUILD_ID: Final = re.compile(rb"(?:[0-9a-fA-F]{2})*")
_OSRELEASE_ROOM: Final = 128
_BUILD_ID_ROOM: Final = 128

INVALID: Final = "number in VMCOREINFO is invalid"


class TextFault(NamedTuple):
    """A line that drgn cannot parse: the cause, the bytes (offset and length in the text), its words."""

    cause: str
    offset: int
    length: int
    words: str


class DrgnText:
    """A text as drgn_program_parse_vmcoreinfo parses it."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    @cached_property
    def lines(self) -> tuple[TextLine, ...]:
        """All lines whose key drgn knows, in order."""
        return tuple(TextLine(m[1], m[2], m.start(), m.end() - m.start() - 1) for m in _LINE.finditer(self.raw))

    @cached_property
    def last(self) -> dict[bytes, bytes]:
        """The last value of each key, which is the one that counts."""
        return {line.key: line.value for line in self.lines}

    @cached_property
    def faults(self) -> tuple[TextFault, ...]:
        """All lines that it would refuse; it stops at the first."""
        faults = ((line, _fault(line)) for line in self.lines)
        return tuple(TextFault(found[0], line.offset, line.length, found[1]) for line, found in faults if found)

    @property
    def refused(self) -> bool:
        """Whether drgn refuses the text because of a line or a missing key."""
        page_size = self.number(b"PAGESIZE")
        missing = not self.osrelease or not self.number(b"SYMBOL(swapper_pg_dir)") or page_size & (page_size - 1)
        return bool(self.faults or missing or not page_size)

    @property
    def osrelease(self) -> bytes:
        return self.last.get(b"OSRELEASE", b"").split(b"\0", 1)[0]

    def number(self, key: bytes) -> int:
        """Return the number of a key as drgn stores it; 0 if there is none."""
        value = self.last.get(key)
        return 0 if value is None else strtoull(value, BASES[key]).value

    def unfinished(self, key: bytes) -> bool:
        """Whether the key is in a last line without newline, which drgn ignores."""
        return self.raw.rpartition(b"\n")[2].startswith(key + b"=")


def _fault(line: TextLine) -> tuple[str, str] | None:
    """Return (cause, words) if drgn cannot parse this line."""
    key, value = line.key, line.value
    if key == b"OSRELEASE":
        return ("T14", "OSRELEASE in VMCOREINFO is too long") if len(value) >= _OSRELEASE_ROOM else None
    if key == b"BUILD-ID":
        if len(value) // 2 > _BUILD_ID_ROOM:
            return "T18", "BUILD-ID in VMCOREINFO is too long"
        if not _BUILD_ID.fullmatch(value):
            return "T02" if value.endswith(b"\r") else "T18", "couldn't parse BUILD-ID in VMCOREINFO"
        return None
    if key not in BASES:
        return None
    number = strtoull(value, BASES[key])
    if not number.fits:
        return "T07", "number in VMCOREINFO is too large"
    if not number.digits or number.rest:
        return _why_invalid(value, BASES[key], number.rest), INVALID
    if key in _BITS and not 1 <= number.value <= 64:
        return "T19", f"{key[7:-1].decode()} in VMCOREINFO is invalid"
    return None


def _why_invalid(value: bytes, base: int, rest: bytes) -> str:
    if rest == b"\r":
        return "T02"
    if b"\0" in value:
        return "T03"
    return "T13" if base == 0 and strtoull(value, 10).rest == b"" and strtoull(value, 10).digits else "T07"


def _as_number(base: int, raw: bytes) -> Value:
    number = strtoull(raw, base)
    how = f"base {base}" if base else f"base 0: {_taken(raw)}"
    show = shown_hex if base == 16 else shown_decimal
    if not number.fits:
        return show(ULONG_MAX, how, "does not fit in 64 bits: drgn refuses the dump")
    if not number.digits or number.rest:
        return Value(visible(raw), None, how, "not a number: drgn refuses the dump")
    return show(number.value, how)


def _taken(raw: bytes) -> str:
    digits = raw.lstrip(b" \t\v\f\r+-")
    if digits[:2].lower() == b"0x":
        return "hexadecimal"
    return "octal" if digits[:1] == b"0" and len(digits) > 1 else "decimal"


def _build_id(raw: bytes) -> Value:
    if not _BUILD_ID.fullmatch(raw) or len(raw) // 2 > _BUILD_ID_ROOM:
        return Value(visible(raw), None, "pairs of hex digits", "not a build ID: drgn refuses the dump")
    return Value(visible(raw.lower()), None, "pairs of hex digits")


def _arm_lpae(raw: bytes) -> Value:
    return Value(visible(raw), None, "y or not", "" if raw[:1] in (b"y", b"n") else "does not start with y: off")


KEYS: Final[Mapping[bytes, Form]] = {
    b"OSRELEASE": as_text,
    b"BUILD-ID": _build_id,
    b"CRASHTIME": presence,
    b"CONFIG_ARM_LPAE": _arm_lpae,
} | {key: partial(_as_number, base) for key, base in BASES.items()}
"""Every key that drgn parses (the strswitch file), and how."""


def lines(raw: bytes) -> dict[bytes, bytes]:
    """Return the keys with their last values, without a last line that has no newline."""
    return DrgnText(raw).last
