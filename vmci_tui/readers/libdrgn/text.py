"""How drgn reads the text of vmcoreinfo: line by line, strictly, the last of two keys wins.

A line ends with a newline; bytes after the last newline are ignored. drgn stops at the
first line that it cannot parse, so the first fault of a text decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Final, NamedTuple

from vmci_tui.readers.rule import Form, Value
from vmci_tui.readers.shared.c_numbers import ParsedNumber, as_text, kept_text, number_form, presence, strtoull
from vmci_tui.readers.shared.text_lines import TextLine, c_string
from vmci_tui.readers.version import Version

BUILD_ID: Final = b"BUILD-ID"
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
SINCE: Final[Mapping[bytes, Version]] = {
    b"CRASHTIME": (0, 0, 27),
    b"NUMBER(phys_base)": (0, 0, 27),
    b"NUMBER(TCR_EL1_T1SZ)": (0, 0, 28),
    b"CONFIG_ARM_LPAE": (0, 0, 28),
    BUILD_ID: (0, 0, 31),
    b"NUMBER(SECTION_SIZE_BITS)": (0, 0, 33),
    b"NUMBER(MAX_PHYSMEM_BITS)": (0, 0, 33),
    b"NUMBER(kimage_voffset)": (0, 1, 0),
    b"KERNELOFFPHYS": (0, 3, 0),
}
"""The first version of drgn that looks at a key; those that are not here are in 0.0.20 already."""
_OTHERS: Final = (b"OSRELEASE", BUILD_ID, b"CRASHTIME", b"CONFIG_ARM_LPAE")
_LINE: Final = re.compile(rb"^(" + b"|".join(map(re.escape, (*BASES, *_OTHERS))) + rb")=([^\n]*)\n", re.MULTILINE)
BITS: Final = (b"NUMBER(SECTION_SIZE_BITS)", b"NUMBER(MAX_PHYSMEM_BITS)")
_PAIRS: Final = re.compile(rb"(?:[0-9a-fA-F]{2})*")
_OSRELEASE_ROOM: Final = 128
_BUILD_ID_ROOM: Final = 128


MISSING: Final[Mapping[bytes, str]] = {
    b"OSRELEASE": "VMCOREINFO does not contain valid OSRELEASE",
    b"PAGESIZE": "VMCOREINFO does not contain valid PAGESIZE",
    b"SYMBOL(swapper_pg_dir)": "VMCOREINFO does not contain valid swapper_pg_dir",
}
"""The required keys in drgn's order, each with its message if there is not a valid one."""


class TextFault(NamedTuple):
    """A line that drgn cannot parse: the cause, the line, the program's words."""

    cause: str
    line: TextLine
    words: str

    @property
    def since(self) -> Version:
        """The first version that looks at the line."""
        return SINCE.get(self.line.key, ())


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
        """All lines that a version would refuse; it stops at the first whose key it knows."""
        faults = ((line, _fault(line)) for line in self.lines)
        return tuple(TextFault(found[0], line, found[1]) for line, found in faults if found)

    @property
    def first(self) -> TextFault | None:
        return self.faults[0] if self.faults else None

    @cached_property
    def below(self) -> dict[str, TextFault]:
        """For each cause the fault after the first one, in the key that drgn has known for longest."""
        found: dict[str, TextFault] = {}
        for fault in self.faults[1:]:
            if fault.cause not in found or fault.since < found[fault.cause].since:
                found[fault.cause] = fault
        return found

    @property
    def missing(self) -> bytes | None:
        """The first required key without a valid value."""
        size, table = self.number(b"PAGESIZE"), self.number(b"SYMBOL(swapper_pg_dir)")
        valid = (self.osrelease, size and not size & (size - 1), table)
        return next((key for key, fine in zip(MISSING, valid, strict=True) if not fine), None)

    @property
    def osrelease(self) -> bytes:
        return c_string(self.last.get(b"OSRELEASE", b""))

    def number(self, key: bytes) -> int:
        """Return the number of a key as drgn stores it; 0 if there is none."""
        value = self.last.get(key)
        return 0 if value is None else strtoull(value, BASES[key]).value

    def line_of(self, key: bytes) -> TextLine | None:
        """Return the line that counts for a key."""
        return next((line for line in reversed(self.lines) if line.key == key), None)

    @property
    def unfinished(self) -> TextLine | None:
        """The last line if it has no newline, which drgn ignores."""
        at = self.raw.rfind(b"\n") + 1
        key, mark, value = self.raw[at:].partition(b"=")
        return TextLine(key, value, at, len(self.raw) - at) if mark else None


def _fault(line: TextLine) -> tuple[str, str] | None:
    """Return (cause, words) if drgn cannot parse this line."""
    key, value = line.key, line.value
    if key == b"OSRELEASE":
        return ("T14", "OSRELEASE in VMCOREINFO is too long") if len(value) >= _OSRELEASE_ROOM else None
    if key == BUILD_ID:
        if len(value) // 2 > _BUILD_ID_ROOM:
            return "T18", "BUILD-ID in VMCOREINFO is too long"
        if not _PAIRS.fullmatch(value):
            return "T02" if value.endswith(b"\r") else "T18", "couldn't parse BUILD-ID in VMCOREINFO"
        return None
    if key not in BASES:
        return None
    number = strtoull(value, BASES[key])
    if not number.fits:
        return "T07", "number in VMCOREINFO is too large"
    if not number.digits or number.rest:
        return _why_invalid(value, BASES[key], number.rest), "number in VMCOREINFO is invalid"
    if key in BITS and not 1 <= number.value <= 64:
        return "T19", f"{key[7:-1].decode()} in VMCOREINFO is invalid"
    return None


def _why_invalid(value: bytes, base: int, rest: bytes) -> str:
    """Return the cause of a number that drgn cannot parse."""
    if rest == b"\r":
        return "T02"
    if b"\0" in value:
        return "T03"
    decimal = strtoull(value, 10)
    return "T13" if base == 0 and decimal.digits and not decimal.rest else "T07"


def _problem(raw: bytes, number: ParsedNumber) -> str:
    if not number.fits:
        return "does not fit in 64 bits: drgn refuses the dump"
    return "not a number: drgn refuses the dump" if not number.digits or number.rest else ""


def _base_0(raw: bytes) -> str:
    digits = raw.lstrip(b" \t\v\f\r+-")
    if digits[:2].lower() == b"0x":
        return "base 0: hexadecimal"
    return "base 0: octal" if digits[:1] == b"0" and len(digits) > 1 else "base 0: decimal"


def _build_id(raw: bytes) -> Value:
    if not _PAIRS.fullmatch(raw) or len(raw) // 2 > _BUILD_ID_ROOM:
        return kept_text(raw, "pairs of hex digits", "not a build ID: drgn refuses the dump")
    return kept_text(raw.lower(), "pairs of hex digits")


def _arm_lpae(raw: bytes) -> Value:
    return kept_text(raw, "y or not", "" if raw[:1] in (b"y", b"n") else "does not start with y: off")


def _dropped(number: ParsedNumber) -> bool:
    return number.fits and (not number.digits or bool(number.rest))


_NUMBER = {
    0: number_form(0, _problem, how=_base_0, drops=_dropped),
    16: number_form(16, _problem, drops=_dropped),
}
KEYS: Final[Mapping[bytes, Form]] = {
    b"OSRELEASE": as_text,
    BUILD_ID: _build_id,
    b"CRASHTIME": presence,
    b"CONFIG_ARM_LPAE": _arm_lpae,
    **{key: _NUMBER[base] for key, base in BASES.items()},
}
"""Every key that drgn parses (the strswitch file), and how."""


def lines(raw: bytes) -> dict[bytes, bytes]:
    """Return the keys with their last values, without a last line that has no newline."""
    return DrgnText(raw).last
