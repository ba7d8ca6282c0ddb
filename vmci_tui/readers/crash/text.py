"""The keys that crash 8.0.2 reads, in a session too, and the base of each.

All go through `pc->read_vmcoreinfo`; tools.c `htol`, `dtol` and C's own functions parse the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from vmci_tui.common.safe_text import visible
from vmci_tui.readers.rule import Form, Value
from vmci_tui.readers.shared.c_numbers import presence, shown_decimal, shown_hex, strtol, strtoull

_HEX_DIGITS: Final = 16
"""MAX_HEXADDR_STRLEN of the 64-bit builds."""
_HEX: Final = re.compile(rb"[0-9a-fA-FxXh]*")
_DECIMAL: Final = re.compile(rb" *([0-9]+)")
_VERSION: Final = re.compile(rb"[^.]*\.[^.]*\.")
_TOP: Final = 1 << 64
_ALL_ONES: Final = _TOP - 1
_BUFFER: Final = 1500


class UnanchoredText(bytes):
    """The text of a kdump-compressed file, in which crash looks for `KEY=` anywhere, up to the first NUL."""


def lines(text: bytes) -> Mapping[bytes, bytes]:
    """Return each key with the value of its first line; a NUL ends the value, not the text."""
    if isinstance(text, UnanchoredText):
        return _anywhere(text.partition(b"\0")[0])
    pairs = [line.partition(b"=") for line in text.split(b"\n")]
    return {key: value.split(b"\0", 1)[0] for key, equals, value in reversed(pairs) if equals}


def _anywhere(text: bytes) -> Mapping[bytes, bytes]:
    """Find the keys as diskdump.c vmcoreinfo_read_string does: anywhere, even at the end of another key."""
    found = ((key, text.find(key + b"=")) for key in KEYS)
    return {key: text[at + len(key) + 1 :].partition(b"\n")[0] for key, at in found if at >= 0}


def htol(raw: bytes) -> int | None:
    """Parse as tools.c htol: hexadecimal with or without 0x, ignoring `x` and `h` anywhere; None if invalid."""
    digits = raw[2:] if raw[:2] in (b"0x", b"0X") else raw
    if len(digits) > _HEX_DIGITS or not _HEX.fullmatch(digits):
        return None
    return int(digits.translate(None, b"xXh") or b"0", 16)


def _dtol(raw: bytes) -> int | None:
    """Parse as tools.c dtol: decimal digits after blanks, and nothing else; None if invalid."""
    digits = _DECIMAL.fullmatch(raw)
    return None if digits is None else min(int(digits[1].lstrip(b"0")[:80] or b"0"), _ALL_ONES)


def _hex(raw: bytes) -> Value:
    number = htol(raw)
    if number is None:
        return shown_hex(_ALL_ONES, "base 16", "not a hexadecimal number: read as -1")
    return shown_hex(number, "base 16", "" if raw else "empty: read as 0")


def _decimal(raw: bytes) -> Value:
    number = _dtol(raw)
    if number is None:
        return shown_decimal(-1, "base 10", "not only decimal digits: read as -1")
    return shown_decimal(number, "base 10")


def _phys_base(raw: bytes) -> Value:
    """Parse as x86_64.c x86_64_calc_phys_base: dtol after an optional minus sign."""
    number = _dtol(raw[raw.startswith(b"-") :])
    if number is None:
        shown = 1 if raw.startswith(b"-") else -1
        return shown_decimal(shown, "base 10", f"not only decimal digits: read as {shown}")
    return shown_decimal(-number if raw.startswith(b"-") else number, "base 10")


def _leading(raw: bytes, base: int, how: str, bits: int) -> Value:
    """Parse as strtol with a caller that ignores the rest."""
    number = strtol(raw, base)
    problem = ""
    if not number.digits:
        problem = "not a number: read as 0"
    elif number.rest:
        problem = "characters after the number are ignored"
    value = number.value
    if bits == 32:
        value = (value + (1 << 31)) % (1 << 32) - (1 << 31)
    return shown_decimal(value, how, problem)


def _atol(raw: bytes) -> Value:
    return _leading(raw, 10, "base 10", 64)


def _atoi(raw: bytes) -> Value:
    return _leading(raw, 10, "base 10", 32)


def _any_base(raw: bytes) -> Value:
    return _leading(raw, 0, "base 0", 64)


def _range(raw: bytes) -> Value:
    """Parse as arm64.c arm64_get_vmcoreinfo_ul: strtoul, base 0."""
    number = strtoull(raw, 0)
    problem = "" if number.digits and not number.rest else "characters after the number are ignored"
    return shown_hex(number.value, "base 0", problem if number.digits else "not a number: read as 0")


def _release(raw: bytes) -> Value:
    """Read the release, which is printed unchanged; `crash --log` and arm64 search for two dots, even past its end."""
    problem = ""
    if not _VERSION.match(raw):
        problem = "not a.b.c: `crash --log` runs past its end"
    elif len(raw) >= _BUFFER:
        problem = f"{_BUFFER} bytes or more: `crash --log` overruns its memory"
    return Value(visible(raw), None, "text", problem)


# kernel.c get_log_from_vmcoreinfo (crash --log): the symbols in base 16, sizes and offsets in base 10.
_LOG_SYMBOLS: Final = (
    "log_buf",
    "log_end",
    "log_buf_len",
    "logged_chars",
    "log_first_idx",
    "log_next_idx",
    "phys_base",
)
_LOG_MEMBERS: Final = ("ts_nsec", "len", "text_len", "dict_len")
# arm64.c arm64_get_range_v5_18.
_RANGES: Final = ("MODULES_VADDR", "MODULES_END", "VMEMMAP_START", "VMEMMAP_END", "VMALLOC_START", "VMALLOC_END")

KEYS: Final[Mapping[bytes, Form]] = {
    b"OSRELEASE": _release,  # netdump.c kdump_get_osrelease, kernel.c, arm64.c arm64_get_kernel_version
    b"PAGESIZE": _atoi,  # kernel.c get_log_from_vmcoreinfo; arm64.c arm64_init; netdump.c for IA64 and PPC too
    b"SYMBOL(_stext)": _hex,  # symbols.c kaslr_init: gives the offset of KASLR
    b"KERNELOFFSET": presence,  # symbols.c kaslr_init
    b"relocate": _hex,  # x86_64.c x86_64_init; no kernel writes it
    b"NUMBER(phys_base)": _phys_base,  # x86_64.c x86_64_calc_phys_base
    b"NUMBER(KERNEL_IMAGE_SIZE)": _decimal,  # x86_64.c x86_64_init
    b"NUMBER(sme_mask)": _decimal,  # x86_64.c x86_64_init
    b"NUMBER(pgtable_l5_enabled)": _atoi,  # x86_64.c x86_64_init
    b"NUMBER(MAX_PHYSMEM_BITS)": _atol,  # x86_64.c, arm64.c, ppc64.c, s390x.c
    b"NUMBER(SECTION_SIZE_BITS)": _atol,  # arm64.c arm64_get_section_size_bits
    b"NUMBER(kimage_voffset)": _hex,  # arm64.c arm64_init
    b"NUMBER(PHYS_OFFSET)": _hex,  # arm64.c arm64_kdump_phys_base
    b"NUMBER(VA_BITS)": _atol,  # arm64.c arm64_calc_VA_BITS
    b"NUMBER(TCR_EL1_T1SZ)": _any_base,  # arm64.c arm64_set_va_bits_by_tcr
    b"NUMBER(tcr_el1_t1sz)": _any_base,
    b"NUMBER(KERNELPACMASK)": _hex,  # arm64.c arm64_calc_KERNELPACMASK
    b"SIZE(page)": _atol,  # arm64.c arm64_get_struct_page_size
    b"CONFIG_ARM_LPAE": presence,  # arm.c arm_init
    **{f"NUMBER({name})".encode(): _range for name in _RANGES},
    **{f"SYMBOL({name})".encode(): _hex for name in _LOG_SYMBOLS},
    **{f"OFFSET({log}.{name})".encode(): _decimal for log in ("log", "printk_log") for name in _LOG_MEMBERS},
    **{f"SIZE({log})".encode(): _decimal for log in ("log", "printk_log")},
}
