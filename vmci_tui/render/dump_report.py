"""Render a dump as JSON and as text, for the shell, the tests and the clipboard.

Scripts rely on the keys; byte strings from the file are `visible` text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from vmci_tui.common.safe_text import visible
from vmci_tui.common.sizes import size_text
from vmci_tui.document.derived_entry import derive, no_entry_reason
from vmci_tui.document.document import Document
from vmci_tui.formats.fw_cfg_entry import FIELDS
from vmci_tui.formats.note_kinds import note_words
from vmci_tui.formats.vmcoreinfo import Line
from vmci_tui.formats.windows_header import windows_json, windows_text
from vmci_tui.layers.file import FileSource
from vmci_tui.layers.image import NewBytes
from vmci_tui.render.headline import headline, memory_size

if TYPE_CHECKING:  # `vmci show` needs neither
    from vmci_tui.adoption.kernel_state import ShownKernel
    from vmci_tui.containers import Dump
    from vmci_tui.findings import Finding
    from vmci_tui.layers.file import Source
    from vmci_tui.render.header_report import HeaderReport
    from vmci_tui.saving.plan import Plan

Json = dict[str, Any]
_SHOWN = 16
"""The most ranges of a plan whose bytes are shown."""
_ORIGINS = {"vm": "QEMU's own, in the running VM"}
"""What is said of an entry's origin, where its name does not say it."""
_DUMPS = ("elf", "kdump", "flattened")
"""The containers of dumps; others are memory images, which say more."""
_NAME_SHOWN = 1024
"""Bytes of a note's name that are shown; a hostile one has 64 MiB."""


def head_json(document: Document) -> Json:
    dump = document.dump
    head = {
        "file": document.name,
        "size": document.size,
        "container": document.container,
        "machine": dump.machine if dump else None,
        "bits": dump.bits if dump else None,
        "byte_order": dump.order if dump else None,
    }
    return head | _image_json(document)


def _image_json(document: Document) -> Json:
    if document.dump is None or document.container in _DUMPS:
        return {}
    from vmci_tui.render.image_report import image_json

    return image_json(document.dump)


def show_json(document: Document) -> Json:
    return shown_json(document) | ({} if document.dump is None else {"memory": memory_json(document)})


def shown_json(document: Document) -> Json:
    """Return everything except the ranges of memory, of which there can be a million."""
    out = head_json(document) | {"entry": entry_json(document)}
    history = document.state.entry
    if history is not None and history.origin == "writes":
        out["writes"] = [
            {
                "offset": write.offset,
                "length": write.length,
                "bytes": None if write.data is None else write.data.hex(),
                "result": outcome.result,
                "present": outcome.present,
                "why": outcome.why,
            }
            for write, outcome in zip(history.writes, history.outcomes, strict=True)
        ]
    if document.dump is not None:
        if (header := header_report(document.dump)) is not None:
            out[document.dump.kind] = header.values
        out |= {"notes": notes_json(document), "vmcoreinfo": vmcoreinfo_json(document)}
        out["windows"] = _windows_json(document)
    return out


def header_report(dump: Dump) -> HeaderReport | None:
    """Return what to show of this kind of header; None if the fields in the hex view are enough."""
    if dump.kind == "kdump":
        from vmci_tui.render.kdump_report import kdump_header

        return kdump_header(dump)
    return None


def _windows_json(document: Document) -> Json | None:
    note = document.state.note
    if note is None or not note.is_windows:
        return None
    return windows_json(note)


def entry_json(document: Document) -> Json | None:
    history = document.state.entry
    if history is not None:
        present = None if history.origin == "derived" else history.present  # nothing shows whether QEMU ever got it
        return history.entry._asdict() | {"present": present, "origin": history.origin}
    derived = derive(document.state, _machine(document))
    if not derived:
        return None
    return {item.name: item.value for item in derived} | {"present": None, "origin": "derived"}


def notes_json(document: Document) -> list[Json]:
    layout = document.layout
    return [
        {
            "index": index,
            "name": visible(note.name[:_NAME_SHOWN].rstrip(b"\0")),
            "type": note.type,
            "offset": offset,
            "length": len(note.raw),
            "desc_offset": offset + note.desc_start,
            "desc_length": len(note.desc),
        }
        for index, (note, offset) in enumerate(zip(layout.notes, layout.note_offsets, strict=True))
    ]


def vmcoreinfo_json(document: Document) -> Json | None:
    text, index = document.state.vmcoreinfo, document.state.index
    if text is None or index is None:
        return None
    start = document.layout.note_offsets[index] + document.layout.notes[index].desc_start
    keys = [
        {
            "key": visible(line.key),
            "value": visible(line.value or b""),
            "line": line.number,
            "offset": start + line.offset,
            "length": len(line.body),
        }
        for line in text.lines
        if line.key is not None
    ]
    return {"note": index, "keys": keys}


def memory_json(document: Document) -> list[Json]:
    return [item._asdict() for item in document.layout.memory.ranges]


def findings_json(findings: Sequence[Finding]) -> list[Json]:
    return [
        {
            "code": f.code,
            "severity": f.severity,
            "message": f.message,
            "why": f.why,
            "span": {"offset": f.span.offset, "length": f.span.length} if f.span else None,
            "fix": f.fix.label if f.fix else None,
            "readers": [c._asdict() for c in f.readers],
        }
        for f in findings
    ]


def plan_json(plan: Plan) -> Json:
    return {"way": plan.strategy, "bytes_written": plan.bytes_written, "steps": [step._asdict() for step in plan.steps]}


def show_text(document: Document, with_keys: bool = False, kernel: ShownKernel | None = None) -> Iterator[str]:
    """Yield what `vmci show` prints, line by line; with `--keys` the note's text too, with `--kernel` its state."""
    dump = document.dump
    yield headline(document, kernel)
    yield f"{document.name}: {document.size} bytes, {_container(document)}"
    if dump is not None and (header := header_report(dump)) is not None:
        yield from (*header.editable, *header.fixed)
    if dump is not None and document.container not in _DUMPS:
        from vmci_tui.render.image_report import image_lines

        yield from image_lines(dump)
        yield "Offsets are those of the dump that `vmci convert` makes of it."
    yield from _entry_text(document)
    if dump is None:
        return
    yield ""
    yield "notes"
    rows = notes_json(document)
    for row, note in zip(rows, document.layout.notes, strict=True):
        where = f"at {row['offset']:#x}, {row['length']} bytes"
        words = note_words(note)
        alone = row["desc_offset"] == row["offset"]  # a kdump file's header names the text, and no note is around it
        what = "text only" if alone else f"type {row['type']:#x} "
        yield f"  {row['index']:>3}  {row['name']:<12} {what} {where}{f': {words}' if words and not alone else ''}"
    if not rows:
        yield "  none"
    yield from _memory_text(document, dump)
    if (text := document.state.vmcoreinfo) is not None:
        yield ""
        yield "vmcoreinfo" if with_keys else f"vmcoreinfo: {_keys(text.lines)}; `vmci show FILE --keys` prints them"
        for line in text.lines if with_keys else ():
            yield f"  {visible(line.body)}"
    elif document.state.note is not None and document.state.note.is_windows:
        yield ""
        yield from windows_text(document.state.note)


def _keys(lines: Sequence[Line]) -> str:
    count = sum(line.key is not None for line in lines)
    return f"{count} key{'' if count == 1 else 's'}"


def _memory_text(document: Document, dump: Dump) -> Iterator[str]:
    memory, in_file = document.layout.memory, dump.guest_memory
    yield ""
    count = len(memory.ranges)
    yield f"memory: {size_text(memory_size(document, dump))} in {count} range{'' if count == 1 else 's'}"
    for item in memory.ranges[:8]:
        where = "no bytes in the file" if item.offset is None else f"at {item.offset:#x}"
        if item.offset is None and in_file.offset_of(item.paddr) is not None:
            where = "in records" if dump.stored == "records" else "compressed"
        yield f"  {item.paddr:#014x}  {item.length} bytes, {where}"
    if len(memory.ranges) > 8:
        yield f"  and {len(memory.ranges) - 8} more"


def _container(document: Document) -> str:
    dump = document.dump
    if dump is None:
        return "an entry"
    return f"{document.container_title}, {dump.bits}-bit {dump.order}-endian, {dump.machine or 'unknown machine'}"


def _machine(document: Document) -> str | None:
    return document.dump.machine if document.dump is not None else None


def _entry_text(document: Document) -> Iterator[str]:
    history = document.state.entry
    yield ""
    if history is None:
        derived = derive(document.state, _machine(document))
        yield (
            "entry (derived from the note, not in the file)"
            if derived
            else f"entry: {no_entry_reason(document.state, _machine(document))}"
        )
        for item in derived:
            value = "?" if item.value is None else f"{item.value} ({item.value:#x})"
            yield f"  {item.name:<13} {value:<24} {item.why}"
        return
    word = "never written" if history.never_written else "present" if history.present else "not present"
    if history.origin == "derived":
        yield "entry (derived: what Linux writes for this pair of /sys/kernel/vmcoreinfo)"
    else:
        yield f"entry ({_ORIGINS.get(history.origin, history.origin)}): the note is {word}"
    for field, number in zip(FIELDS, history.entry, strict=True):
        yield f"  {field.name:<13} {number} ({number:#x})"
    if history.origin == "writes":
        for number, outcome in enumerate(history.outcomes, 1):
            yield f"  write {number}: {outcome.result}: {outcome.why}"


def plan_text(plan: Plan, source: Source) -> Iterator[str]:
    """Yield what `--dry-run` prints: the steps, the reason for the strategy, and each range before and after."""
    if plan.empty:
        same = "identical to the file" if isinstance(source, FileSource) else "an ELF dump with all that is shown"
        yield f"plan: nothing to change; the copy would be {same}"
        return
    source = plan.base or source
    yield f"plan: {plan.strategy}, at most {size_text(plan.bytes_written)}"
    yield f"  {plan.choice}"
    for step in plan.steps:
        yield f"  {step.do:<16} {step.offset:#014x} + {step.length}: {step.why}"
    for change in plan.changes[:_SHOWN]:
        if isinstance(change.extent, NewBytes):
            length = min(change.extent.length, 16)
            yield f"  at {change.offset:#x}"
            yield f"    before  {source.read(change.offset, length).hex(' ') or 'the end of the file'}"
            yield f"    after   {change.extent.data[:length].hex(' ')}"
