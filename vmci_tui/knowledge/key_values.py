"""A value of the vmcoreinfo text, shown in forms that spare the reader a computation.

This is what Linux meant by the value; how each reader program reads it is in readers/.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.knowledge.glossary import KeyInfo, explain
from vmci_tui.knowledge.kernel_width import votes

_DIGIT_LIMIT: Final = 64
_DECIMAL: Final = re.compile(rb"-?[0-9]+\Z")
_HEX: Final = re.compile(rb"(?:0x)?[0-9a-f]+\Z", re.I)
_HEX_ONLY: Final = re.compile(rb"0x[0-9a-f]+\Z|[0-9a-f]*[a-f][0-9a-f]*\Z", re.I)
_RELEASE: Final = re.compile(rb"(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?!\d)")
_BUILD_ID_BYTES: Final = 20
_KERNEL_MAP: Final = range(0xFFFF_FFFF_8000_0000, 0xFFFF_FFFF_C000_0000)
"""x86-64 (Documentation/arch/x86/x86_64/mm.rst), riscv64 and mips64 link their image into this GiB; no machine keeps
other variables there."""
_PPC64_LINEAR: Final = range(0xC000_0000_0000_0000, 0xC000_1000_0000_0000)
"""The first 16 TiB of ppc64's linear map; no ppc64 kernel puts anything else there, whatever its MMU and page size."""


class DecodedValue(NamedTuple):
    """One form of a value; or a `problem`: Linux would not write this value."""

    label: str
    shown: Safe
    problem: bool = False


def decode(key: bytes, value: bytes) -> tuple[DecodedValue, ...]:
    """Return other forms of a key's value; empty for a key without a form. Never raises."""
    entry = explain(key)
    if entry is None:
        return ()
    if entry.unit == "build-id":
        out = _build_id(value)
    elif entry.unit == "release":
        out = _release(value)
    elif entry.base:
        out = _number(entry, value)
    else:
        out = [_problem("empty")] if not value else []
    for vote in votes(Vmcoreinfo(key + b"=" + value + b"\n")):
        of = f"a kernel for {vote.machine}" if vote.machine else f"a {vote.bits}-bit kernel"
        out.append(DecodedValue("points to", visible(f"{of} ({vote.weight}): {vote.why}")))
    return tuple(out)


def _number(entry: KeyInfo, raw: bytes) -> list[DecodedValue]:
    text = raw.strip()
    problems = [] if text == raw else [_problem("blanks or a carriage return around the number")]
    base = entry.base
    if not text:
        return [_problem("empty: a number is expected")]
    if base == 10 and _HEX_ONLY.match(text):
        problems.append(_problem("hexadecimal: Linux writes decimal"))
        base = 16
    if len(text) > _DIGIT_LIMIT or not (_DECIMAL if base == 10 else _HEX).match(text):
        return [_problem(f"not a number in base {entry.base}")]
    number = int(text, base)
    if not -(1 << 63) <= number < 1 << 64:
        return [*problems, _problem("more than 64 bits")]
    if base == 10 and text.lstrip(b"-").startswith(b"0") and number:
        problems.append(_problem("a leading zero: some readers read it as octal; Linux writes none"))
    if entry.key == "PAGESIZE" and (number <= 0 or number & (number - 1)):
        problems.append(_problem("not a power of two"))
    if base == 16 and entry.written.endswith("=0x%lx") and not text.lower().startswith(b"0x"):
        problems.append(_problem("no 0x in front: Linux writes one"))
    return [*_seen(entry, number, base), *problems]


def _seen(entry: KeyInfo, number: int, base: int) -> list[DecodedValue]:
    unsigned = number & (1 << 64) - 1
    out = []
    if base == 10 and not -10 < number < 10:
        out.append(DecodedValue("hex", visible(f"{unsigned:#x}")))
    elif base == 16 and number > 9:
        out.append(DecodedValue("decimal", visible(str(number))))
    if number < 0:
        out.append(DecodedValue("unsigned", visible(str(unsigned))))
    elif number >> 63 and not entry.form.startswith("SYMBOL"):
        out.append(DecodedValue("signed", visible(str(number - (1 << 64)))))
    out += _as_unit(entry, number)
    return out


def _as_unit(entry: KeyInfo, number: int) -> list[DecodedValue]:
    if entry.unit == "bytes" and number >= 1024:
        return [DecodedValue("size", _size(number))]
    if entry.unit == "bits" and 0 < number <= 64:
        return [DecodedValue("size", visible(f"2^{number} bytes = {_size(1 << number)}"))]
    if entry.unit == "bit" and 0 <= number < 64:
        return [DecodedValue("mask", visible(f"{1 << number:#x}"))]
    if entry.unit == "flag":
        return [DecodedValue("means", visible("no" if number == 0 else "yes"))]
    if entry.unit == "mask" and number > 0 and number.bit_count() == 1:
        return [DecodedValue("bit", visible(str(number.bit_length() - 1)))]
    if entry.unit == "seconds":
        return [_date(number)]
    if entry.form.startswith("SYMBOL"):
        return _region(number)
    if entry.unit == "address" and number and number % (1 << 20) == 0:
        return [DecodedValue("offset", visible(f"{number >> 20:,} MiB"))] if abs(number) < 1 << 48 else []
    return []


def _region(address: int) -> list[DecodedValue]:
    """Name the region of an address, if it is the same on all machines."""
    if address in (0, (1 << 64) - 1):
        return [_problem("not an address: readers refuse it or find nothing there")]
    if address in _KERNEL_MAP:
        return [DecodedValue("is in", visible("the kernel image"))]
    if address in _PPC64_LINEAR:
        return [DecodedValue("is in", visible(f"ppc64's linear map, at paddr {address - _PPC64_LINEAR.start:#x}"))]
    return []


def _date(seconds: int) -> DecodedValue:
    if seconds <= 0:
        return _problem("not the time of a crash")
    try:
        when = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return _problem("a time outside the calendar")
    return DecodedValue("date", visible(f"{when:%Y-%m-%d %H:%M:%S} UTC"))


def _build_id(raw: bytes) -> list[DecodedValue]:
    if not re.match(rb"[0-9a-fA-F]*\Z", raw):
        return [_problem("not only hex digits")]
    if len(raw) % 2:
        return [_problem("an odd number of hex digits")]
    length = DecodedValue("length", visible(f"{len(raw) // 2} bytes"))
    if len(raw) // 2 != _BUILD_ID_BYTES:
        return [length, _problem(f"Linux writes {_BUILD_ID_BYTES} bytes")]
    return [length, *([] if raw.strip(b"0") else [_problem("all zeros: the kernel has no build ID")])]


def _release(raw: bytes) -> list[DecodedValue]:
    match = _RELEASE.match(raw)
    if match is None:
        return [_problem("not of the form a.b.c")]
    return [DecodedValue("version", visible(".".join(str(int(part)) for part in match.groups())))]


def _size(number: int) -> Safe:
    for power, unit in ((40, "TiB"), (30, "GiB"), (20, "MiB")):
        if number >> power and number % (1 << power) == 0:
            return visible(f"{number >> power:,} {unit}")
    return visible(f"{number / 1024:,.1f} KiB" if number % 1024 else f"{number >> 10:,} KiB")


def _problem(text: str) -> DecodedValue:
    return DecodedValue("problem", visible(text), True)
