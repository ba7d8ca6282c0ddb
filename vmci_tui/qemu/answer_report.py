"""Render what a real QEMU did and what was predicted, in lines."""

from __future__ import annotations

from collections.abc import Iterator

from vmci_tui.common.safe_text import safe, visible
from vmci_tui.formats.hex_dump import dump_lines
from vmci_tui.qemu.ask import Answer
from vmci_tui.qemu.machine import QemuOutput

_SHOWN = 512
"""Bytes of an appended note that are shown."""


def answer_text(answer: Answer) -> Iterator[str]:
    """Yield the verdict, then both results: equal parts once, different ones twice; the bytes come last."""
    guest = answer.guest
    yield _verdict(answer)
    yield f"QEMU {visible(answer.version)} ({visible(answer.program)}), target {answer.target}"
    dump = f"{guest.machine}, ELF{guest.bits}, {guest.order}-endian"
    yield f"the dump is {dump}; predicted by the rules of {answer.rules}"
    if answer.lost == 0:
        yield "the guest has no RAM at the entry's address: QEMU does not see the note"
    elif answer.lost is not None:
        yield f"the guest has RAM only for the first {answer.lost} bytes of the note: QEMU reads other bytes after them"
    yield ""
    for name, title in (
        ("entry", "entry"),
        ("warnings", "warning"),
        ("appended", "appended"),
        ("phys_base", "phys_base"),
    ):
        ours, theirs = _shown(answer.predicted, name), _shown(answer.seen, name)
        if name not in answer.differences:
            yield f"  {title:<10} {theirs}"
        else:
            yield f"! {title:<10} {theirs}"
            yield f"  {'predicted':<10} {ours}"
    seen, predicted = answer.seen.appended, answer.predicted.appended
    if seen is not None and predicted is not None and seen != predicted:
        yield "  " + _first_difference(seen, predicted)
    if seen is not None:
        yield from dump_lines(seen[:_SHOWN], 0)
        if len(seen) > _SHOWN:
            yield f"  ... {len(seen) - _SHOWN} bytes more: --json has all of them"


def _verdict(answer: Answer) -> str:
    """Return whether QEMU did what was predicted, and what it did."""
    seen = answer.seen.appended
    did = "appended nothing" if seen is None else f"appended {len(seen)} bytes"
    return f"{'NOT as' if answer.differences else 'as'} predicted: QEMU {did}"


def _shown(output: QemuOutput, name: str) -> str:
    if name == "warnings":
        return "; ".join(safe(line) for line in output.warnings) or "none"
    if name == "appended":
        return "nothing" if output.appended is None else f"{len(output.appended)} bytes"
    return hex(output.phys_base) if name == "phys_base" else output.entry.hex(" ")


def _first_difference(seen: bytes, predicted: bytes) -> str:
    at = next((at for at, (a, b) in enumerate(zip(seen, predicted, strict=False)) if a != b), None)
    if at is None:
        return f"the first {min(len(seen), len(predicted))} bytes are the same"
    return f"byte {at:#x} is {seen[at]:#04x}, predicted {predicted[at]:#04x}"
