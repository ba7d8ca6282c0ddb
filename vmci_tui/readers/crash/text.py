"""The keys that crash 8.0.2 reads, in a session too, and the base of each.

All go through `pc->read_vmcoreinfo`; tools.c `htol`, `dtol` and C's own functions parse the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from vmci_tui.readers.rule import Form, Value
from vmci_tui.readers.shared.c_numbers import (
    ULONG_MAX,
    ParsedNumber,
    kept_text,
    number_form,
    presence,
    shown_hex,
    strtol,
    strtoull,
)
from vmci_tui.readers.shared.text_lines import c_string, first_values

_HEX_DIGITS: Final = 16
"""MAX_HEXADDR_STRLEN of the 64-bit builds."""
_HEX: Final = re.compile(rb"[0-9a-fA-FxXh]*")
_DECIMAL: Final = re.compile(rb" *([0-9]+)")
_VERSION: Final = re.compile(rb"[^.]*\.[^.]*\.")
_BUFFER: Final = 1500


class UnanchoredText(bytes):
    """The text of a kdump-compressed file, in which crash looks for `KEY=` anywhere, up to the first NUL."""


def lines(text: bytes) -> Mapping[bytes, bytes]:
    """Return each key with the value of its first line; a NUL ends the value, not the text."""
    if isinstance(text, UnanchoredText):
        return _anywhere(c_string(text))
    return {key: c_string(value) for key, value in first_values(text.split(b"\n")).items()}


def _anywhere(text: bytes) -> Mapping[bytes, bytes]:
    """Find the keys as diskdump.c vmcoreinfo_read_string does: anywhere, even at the end of another key."""
    found = ((key, text.find(key + b"=")) for key in KEYS)
    return {key: text[at + len(key) + 1 :].partition(b"\n")[0] for key, at in found if at >= 0}


def htol(raw: bytes, base: int = 16) -> ParsedNumber:
    """Parse as tools.c htol: hexadecimal with or without 0x, ignoring `x` and `h` anywhere; -1 if invalid."""
    digits = raw[2:] if raw[:2] in (b"0x", b"0X") else raw
    if len(digits) > _HEX_DIGITS or not _HEX.fullmatch(digits):
        return ParsedNumber(ULONG_MAX, raw, digits=False)
    return ParsedNumber(int(digits.translate(None, b"xXh") or b"0", base), b"")


def _dtol(raw: bytes, base: int) -> ParsedNumber:
    """Parse as tools.c dtol: decimal digits after blanks, and nothing else; -1 if invalid."""
    found = _DECIMAL.fullmatch(raw)
    return ParsedNumber(-1, raw, digits=False) if found is None else strtoull(found[1], base)


def _signed_dtol(raw: bytes, base: int) -> ParsedNumber:
    """Parse as x86_64.c x86_64_calc_phys_base: dtol after an optional minus sign."""
    number = _dtol(raw.removeprefix(b"-"), base)
    return number._replace(value=-number.value) if raw.startswith(b"-") else number


def _not_hex(raw: bytes, number: ParsedNumber) -> str:
    return ("" if raw else "empty: read as 0") if number.digits else "not a hexadecimal number: read as -1"


def _not_decimal(raw: bytes, number: ParsedNumber) -> str:
    return "" if number.digits else f"not only decimal digits: read as {number.value}"


def _not_whole(raw: bytes, number: ParsedNumber) -> str:
    """Return the problem of a number whose caller ignores the rest."""
    if not number.digits:
        return "not a number: read as 0"
    return "characters after the number are ignored" if number.rest else ""


def _as_int(raw: bytes, base: int) -> ParsedNumber:
    """Parse as atoi: strtol, of which the lower 32 bits count."""
    number = strtol(raw, base)
    return number._replace(value=(number.value + (1 << 31)) % (1 << 32) - (1 << 31))


def _release(raw: bytes) -> Value:
    """Read the release, which is printed unchanged; `crash --log` and arm64 search for two dots, even past its end."""
    problem = ""
    if not _VERSION.match(raw):
        problem = "not a.b.c: `crash --log` runs past its end"
    elif len(raw) >= _BUFFER:
        problem = f"{_BUFFER} bytes or more: `crash --log` overruns its memory"
    return kept_text(raw, "text", problem)


_hex = number_form(16, _not_hex, parse=htol)
_decimal = number_form(10, _not_decimal, parse=_dtol)
_phys_base = number_form(10, _not_decimal, parse=_signed_dtol)
_atol = number_form(10, _not_whole, parse=strtol)
_atoi = number_form(10, _not_whole, parse=_as_int)
_any_base = number_form(0, _not_whole, parse=strtol)
_range = number_form(0, _not_whole, show=shown_hex)  # arm64.c arm64_get_vmcoreinfo_ul

# kernel.c get_log_from_vmcoreinfo (crash --log): the symbols in base 16, sizes and offsets in base 10.
_LOG_SYMBOLS: Final = ("log_buf", "log_end", "log_buf_len", "logged_chars", "log_first_idx", "log_next_idx")
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
    **{f"SYMBOL({name})".encode(): _hex for name in (*_LOG_SYMBOLS, "phys_base")},
    **{f"OFFSET({log}.{name})".encode(): _decimal for log in ("log", "printk_log") for name in _LOG_MEMBERS},
    **{f"SIZE({log})".encode(): _decimal for log in ("log", "printk_log")},
}
