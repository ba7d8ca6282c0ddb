"""How libkdumpfile parses the text of vmcoreinfo (vmcoreinfo.c).

It accepts lines without `=` and a last line without newline, ignores numbers that it cannot
parse, and uses the last of two values. Only PAGESIZE can stop it here, and a key that begins
with a dot, which kills the process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from vmci_tui.readers.rule import Form, Value
from vmci_tui.readers.shared.c_numbers import ParsedNumber, kept_text, number_form, strtoull
from vmci_tui.readers.shared.text_lines import TextLine, c_string

_SYMBOLS: Final = (
    b"init_uts_ns", b"system_utsname", b"_stext", b"_text", b"init_top_pgt", b"init_level4_pgt", b"swapper_pg_dir",
    b"vmap_area_list", b"vmlist", b"vmemmap_list",
)  # fmt: skip
"""open.c, x86_64.c of kdumpfile; x86_64.c, ia32.c, arm.c, aarch64.c, ppc64.c, riscv64.c, s390x.c of addrxlat."""
_NUMBERS: Final = (
    b"phys_base", b"pgtable_l5_enabled", b"sme_mask", b"kimage_voffset", b"TCR_EL1_T1SZ", b"VA_BITS",
    b"va_kernel_pa_offset", b"PAGE_OFFSET",
)  # fmt: skip
_OFFSETS: Final = (
    b"vmap_area.va_start", b"vmap_area.list", b"list_head.next", b"vm_struct.addr",
    b"vmemmap_backing.list", b"vmemmap_backing.phys", b"vmemmap_backing.virt_addr",
)  # fmt: skip
BASES: Final[Mapping[bytes, int]] = (
    {b"SYMBOL(%b)" % name: 16 for name in _SYMBOLS}
    | {b"NUMBER(%b)" % name: 0 for name in _NUMBERS}
    | {b"OFFSET(%b)" % name: 0 for name in _OFFSETS}
)
"""The numbers that it uses, each with its base (lines_post_hook)."""
_KEYS: Final = (b"PAGESIZE", b"OSRELEASE", b"CONFIG_X86_PAE", *BASES)
_LINE: Final = re.compile(
    rb"^(?:\.(?P<dotted>[^=\n]*)|(?P<key>"
    + b"|".join(map(re.escape, _KEYS))
    + rb")(?:\0[^=\n]*)?)(?:=(?P<value>[^\n]*))?$",
    re.M,
)
CACHE_PAGES: Final = 1024


@lru_cache(maxsize=2)
def used_lines(text: bytes) -> tuple[TextLine, ...]:
    """Return the lines that it uses, in order; each value is a C string and ends at a NUL.

    A key that begins with a dot, and is not the name of an earlier line, is empty.
    """
    out, before, upto = [], set[bytes](), 0
    for m in _LINE.finditer(text):
        key, dotted = m["key"], m["dotted"]
        if dotted is not None:
            before.update(line.partition(b"=")[0] for line in text[upto : m.start()].split(b"\n")[:-1])
            upto = m.start()
        if dotted in before:
            if dotted not in _KEYS:
                continue
            key = dotted
        out.append(TextLine(key or b"", c_string(m["value"] or b""), m.start(), m.end() - m.start()))
    return tuple(out)


def number_of(value: bytes, base: int) -> int | None:
    """Parse like strtoull; None if characters are left, and the key is ignored. An empty value is 0."""
    number = strtoull(value, base)
    return None if number.rest else number.value


def lines(text: bytes) -> dict[bytes, bytes]:
    """Return all keys, each with its last value, as C strings."""
    found = (line.partition(b"=") for line in text.removesuffix(b"\n").split(b"\n"))
    return {c_string(key): c_string(value) for key, _, value in found}


def _ignored(raw: bytes, number: ParsedNumber) -> str:
    if number.rest:
        return "not a number: the key is ignored"
    return "" if raw else "empty: read as 0"


def _not_page_size(raw: bytes, number: ParsedNumber) -> str:
    if number.rest:
        return "not a number: the key is ignored"
    return "" if number.value and not number.value & (number.value - 1) else "not a power of two: refused"


def _release(raw: bytes) -> Value:
    return kept_text(raw, "text", "not a.b.c: refused when memory is read" if version_code(raw) is None else "")


def version_code(release: bytes) -> int | None:
    """Return the version of `a.b.c...` as one number (KERNEL_VERSION); None for another form."""
    parts = []
    for index in range(3):
        number = strtoull(release, 10)
        if not number.digits or (index < 2 and number.rest[:1] != b"."):
            return None
        parts.append(number.value)
        release = number.rest[1:]
    return (parts[0] << 16) + (parts[1] << 8) + min(parts[2], 255)


_number = {base: number_form(base, _ignored, drops=lambda number: bool(number.rest)) for base in (0, 16)}
KEYS: Final[Mapping[bytes, Form]] = {
    **{key: _number[base] for key, base in BASES.items()},
    b"OSRELEASE": _release,
    b"PAGESIZE": number_form(10, _not_page_size, drops=lambda number: bool(number.rest)),
    b"CONFIG_X86_PAE": lambda raw: kept_text(raw, "y or not"),
}
"""Every key that libkdumpfile uses, and how it reads each."""
