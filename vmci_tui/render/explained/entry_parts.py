"""Explain the entry, its fields and the guest's writes, and a step of QEMU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from vmci_tui.formats.fw_cfg_entry import EntryHistory
from vmci_tui.readers.qemu.dump_steps import DumpSteps
from vmci_tui.render.explained.explanation import Explanation, labelled

_WHOLE: Final = (
    "The guest writes 16 bytes into QEMU's fw_cfg file etc/vmcoreinfo: where its note is. dump-guest-memory reads the "
    "note there, and puts it into the dump."
)
_FIELDS: Final = {
    "host_format": (
        "QEMU's own bits: 1 is ELF. QEMU writes it at reset, and ignores what the guest writes.",
        "nothing: it is ignored",
    ),
    "guest_format": (
        "What the guest wrote: 1 is ELF, 0 is none. QEMU accepts only 1.",
        "0: QEMU appends nothing; any other number: it warns, and appends nothing",
    ),
    "size": (
        "Bytes of the note with its header: Linux writes 36 more than a page of text.",
        "QEMU refuses less than 12 bytes and more than 1 MiB",
    ),
    "paddr": (
        "The guest-physical address of the note.",
        "where no RAM is, or another note: QEMU warns, and the dump has no VMCOREINFO",
    ),
}
"""What a field is, and what is wrong with others."""
_STEPS: Final = {
    "present": "whether the guest's last write was all 16 bytes at offset 0; else QEMU takes the entry as absent",
    "size": "whether the size is from 12 bytes to 1 MiB",
    "format": "whether guest_format says ELF",
    "reads": "the bytes that it reads from guest memory",
    "note": "whether those bytes are one whole note",
    "appends": "what it puts into the dump",
    "warns": "what it prints to its log",
}


def of_entry(history: EntryHistory | None, field: str, write: int | None, row: str) -> Explanation:
    """Explain a field by its name, a write by its number, or the entry; `row` is the row's text in full."""
    if write is not None and history is not None:
        return Explanation(f"write {write + 1} of {len(history.writes)}", tuple(_write_lines(history, write, row)))
    if field not in _FIELDS:
        return Explanation("the entry", (row, labelled("what", _WHOLE)) if row else (labelled("what", _WHOLE),))
    what, wrong = _FIELDS[field]
    return Explanation(field, (row, labelled("what", what), labelled("if wrong", wrong)))


def _write_lines(history: EntryHistory, number: int, row: str) -> Iterator[str]:
    yield row
    yield labelled("what", "QEMU stores what the guest writes; only 16 bytes at offset 0 make the entry present.")
    yield labelled("result", f"{history.outcomes[number].result}: {history.outcomes[number].why}")
    if number + 1 < len(history.writes):
        yield labelled("later", "another write follows: the last one decides whether the entry is present")


def of_step(columns: Sequence[DumpSteps], number: int) -> Explanation:
    """Explain a step of QEMU by its number, with the words of each version in full."""
    steps = [(column.version, column.steps[number]) for column in columns if 0 <= number < len(column.steps)]
    name = steps[0][1].name if steps else ""
    if not name:
        return Explanation("what QEMU will do", (labelled("what", _WHOLE),))
    lines = [labelled("what", _STEPS.get(name, ""))] if name in _STEPS else []
    lines += [labelled(version, step.says or "it does not get there") for version, step in steps]
    return Explanation(f"QEMU: {name}", tuple(lines))
