"""Render a kdump file's headers for `vmci show`, as JSON and as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vmci_tui.common.safe_text import visible
from vmci_tui.containers import Dump
from vmci_tui.containers.kdump.dump import KdumpDump
from vmci_tui.formats.compression import COMPRESSIONS, name_of
from vmci_tui.formats.kdump_records import EXCLUDED_VMEMMAP, INCOMPLETE, UTSNAME
from vmci_tui.render.header_report import HeaderReport


def kdump_header(dump: Dump) -> HeaderReport | None:
    """Return both headers of a kdump file; None for another dump."""
    if not isinstance(dump, KdumpDump):
        return None
    return HeaderReport(_values(dump), tuple(_editable(dump)), tuple(_fixed(dump)))


def _values(dump: KdumpDump) -> dict[str, Any]:
    header, sub = dump.header, dump.header.sub
    first, last = header.pfns
    return {
        "header_version": header.header.version,
        "bits": header.form.bits,
        "padded": header.form.padded,
        "utsname": {
            name: visible(value) for name, value in zip(UTSNAME, header.header.utsname, strict=True)
        },
        "status": header.header.status,
        "block_size": header.block_size,
        "max_mapnr": header.max_mapnr,
        "nr_cpus": header.header.nr_cpus,
        "phys_base": sub.phys_base,
        "dump_level": sub.dump_level,
        "split": bool(sub.split),
        "start_pfn": first,
        "end_pfn": last,
        "offset_vmcoreinfo": sub.offset_vmcoreinfo,
        "size_vmcoreinfo": sub.size_vmcoreinfo,
        "offset_note": sub.offset_note,
        "size_note": sub.size_note,
        "offset_eraseinfo": sub.offset_eraseinfo,
        "size_eraseinfo": sub.size_eraseinfo,
        "doubts": list(dump.doubts),
    }  # fmt: skip


def _editable(dump: KdumpDump) -> Iterator[str]:
    header = dump.header
    names = ", ".join(
        f"{name} {visible(value)}" for name, value in zip(UTSNAME, header.header.utsname, strict=True) if value
    )
    yield f"  utsname         {names or 'empty'}"
    yield f"  phys_base       {header.sub.phys_base:#x}"


def _fixed(dump: KdumpDump) -> Iterator[str]:
    header, sub = dump.header, dump.header.sub
    yield f"  header_version  {header.header.version}, block_size {header.block_size}, {_status(header.header.status)}"
    yield f"  dump_level      {sub.dump_level}"
    yield f"  vmcoreinfo      {_where(*header.vmcoreinfo)}"
    yield f"  notes           {_where(*header.notes)}"
    if sub.split:
        first, last = header.pfns
        yield f"  split           this file has the pages {first:#x} to {last:#x}"
    for words in dump.doubts:
        yield f"  remark          {words}"


def _status(status: int) -> str:
    words = [name_of(status & COMPRESSIONS) if status & COMPRESSIONS else "not compressed"]
    if status & INCOMPLETE:
        words.append("incomplete")
    if status & EXCLUDED_VMEMMAP:
        words.append("page structures left out")
    return ", ".join(words)


def _where(offset: int, length: int) -> str:
    return f"{length} bytes at {offset:#x}" if length else "none"
