"""Real guests of all machines, cut to the pages that a proof reads (and some of which it must not be fooled).

Made of dumps of booted Debian guests; truth.json has the values of each guest's own /sys/kernel/vmcoreinfo and
/proc, and of QEMU.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.kit import opened
from tests.paths import DATA
from vmci_tui.containers import Dump
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.formats.elf_note import parse_raw
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo

_FOLDER = DATA / "guests"
TRUTH: dict[str, dict[str, Any]] = json.loads((_FOLDER / "truth.json").read_text())


@cache
def dump(name: str) -> Dump:
    found = opened(gzip.decompress((_FOLDER / f"{name}.elf.gz").read_bytes())).dump
    assert found is not None
    return found


def guest(name: str) -> Guest:
    return guest_of(dump(name))


def text_at(memory: Guest, paddr: int) -> Vmcoreinfo:
    """Return the text of the note at `paddr`."""
    for length in (8192, 4096):
        raw = memory.read(paddr, length)
        note = parse_raw(raw) if raw is not None else None
        if note is not None:
            return Vmcoreinfo(note.desc)
    raise AssertionError(f"no note at {paddr:#x}")


def true_text(name: str) -> Vmcoreinfo:
    text = text_at(guest(name), int(TRUTH[name]["true_paddr"], 16))
    assert hashlib.sha256(text.text).hexdigest() == TRUTH[name]["text_sha256"]
    return text


def number(text: Vmcoreinfo, key: bytes, base: int = 16) -> int | None:
    value = text.get(key)
    return None if value is None else int(value, base)


def moved(text: Vmcoreinfo, key: bytes, form: bytes, by: int) -> Vmcoreinfo:
    value = number(text, key, 10 if form == b"%d" else 16)
    assert value is not None
    return text.with_value(key, form % (value + by))


_OFFSETS = (
    (b"NUMBER(phys_base)", b"%d", (2 << 20, -2 << 20, 0x1000, 1 << 30)),
    (b"NUMBER(kimage_voffset)", b"0x%x", (2 << 20, -0x10000, 0x1000, 1 << 30)),
    (b"NUMBER(va_kernel_pa_offset)", b"0x%x", (2 << 20, -2 << 20, 0x1000)),
    (b"KERNELOFFPHYS", b"%x", (1 << 20, -1 << 20, 0x1000, 1 << 30)),
    (b"KERNELOFFSET", b"%x", (2 << 20, 0x1000, 1 << 24, 1 << 30)),
)


def falsified(text: Vmcoreinfo) -> Iterator[tuple[str, Vmcoreinfo, dict[bytes, bytes]]]:
    """Texts with one wrong value, each with the right one: the release, or one that translates or moves addresses."""
    release = text.osrelease or b""
    for other in (b"6.1.0-55-amd64", b"5.10.0", release + b"1"):
        yield f"OSRELEASE={other.decode()}", text.with_value(b"OSRELEASE", other), {b"OSRELEASE": release}
    for key, form, steps in _OFFSETS:
        value = text.get(key)
        for step in steps if value is not None else ():
            if (number(text, key, 10 if form == b"%d" else 16) or 0) + step >= 0 or form == b"%d":
                yield f"{key.decode()} {step:+#x}", moved(text, key, form, step), {key: value or b""}
        if value is not None and int(value, 10 if form == b"%d" else 16):
            yield f"{key.decode()}=0", text.with_value(key, form % 0), {key: value}
    base = text.get(b"NUMBER(phys_base)")
    if base is not None:
        yield (
            "as QEMU reads it",
            text.with_value(b"NUMBER(phys_base)", b"0x%x" % (int(base) & (1 << 64) - 1)),
            {b"NUMBER(phys_base)": base},
        )


def wrong_symbols(text: Vmcoreinfo) -> Iterator[tuple[str, Vmcoreinfo]]:
    """Texts with a wrong address, if memory does not show the right one."""
    for name in (b"_stext", b"swapper_pg_dir", b"init_uts_ns"):
        for step in (0x1000, -0x1000, 0x10000, 2 << 20, -2 << 20, 1 << 24, 1 << 30):
            key = b"SYMBOL(%s)" % name
            if (number(text, key) or 0) + step > 0:
                yield f"{name.decode()} {step:+#x}", moved(text, key, b"%x", step)
