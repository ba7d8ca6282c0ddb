"""The headless commands about QEMU: what it will do, and what a real one does. No rule lives here."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vmci_tui.cli.output import print_json, print_lines
from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import safe, visible
from vmci_tui.formats.hex_dump import dump_lines
from vmci_tui.layers.file import reason

if TYPE_CHECKING:
    from vmci_tui.qemu.ask import Answer
    from vmci_tui.qemu.machine import Seen

_SHOWN = 512
"""Bytes of an appended note in the text."""


def run(options: argparse.Namespace) -> int:
    """Run one parsed command; the exit code."""
    return {"ask": _ask, "predict": _predict}[options.command](options)


def _predict(options: argparse.Namespace) -> int:
    """A line out for a line in, at once: who asks by a pipe may wait for each answer."""
    from vmci_tui.qemu.prediction import LINE_LIMIT, predict

    number = 0
    while line := _line(LINE_LIMIT + 1):
        number += 1
        if line.strip():
            print(predict(line, number, options.qemu), flush=True)
    return 0


def _line(limit: int) -> bytes:
    try:
        return sys.stdin.buffer.readline(limit)
    except OSError as error:
        raise OpenError(f"cannot read standard input: {reason(error)}", "vmci predict < CASES.jsonl") from None


def _ask(options: argparse.Namespace) -> int:
    """0 where QEMU does what was predicted, 1 where it does otherwise."""
    from vmci_tui.opening.note_inputs import bytes_from
    from vmci_tui.opening.open_file import read_entry
    from vmci_tui.qemu.ask import ask

    history, _, name = read_entry(options.blob)
    answer = ask(history, bytes_from(options.note), options.target, options.qemu)
    if options.json:
        print_json({"entry": name, "note": visible(options.note)} | _json(answer))
    else:
        print_lines(answer_text(answer))
    return 1 if answer.differences else 0


def _json(answer: Answer) -> dict[str, object]:
    return {
        "target": answer.target,
        "program": visible(answer.program),
        "version": visible(answer.version),
        "rules": answer.rules,
        "machine": answer.guest.machine,
        "bits": answer.guest.bits,
        "byte_order": answer.guest.order,
        "kept": answer.kept,
        "predicted": _side(answer.predicted),
        "seen": _side(answer.seen),
        "differences": list(answer.differences),
    }


def _side(side: Seen) -> dict[str, object]:
    return {
        "warnings": [safe(line) for line in side.warnings],
        "appended_length": len(side.appended or b""),
        "appended": None if side.appended is None else side.appended.hex(),
        "phys_base": hex(side.phys_base),
        "entry": side.entry.hex(),
    }


def answer_text(answer: Answer) -> Iterator[str]:
    """Both sides in lines: what is the same once, what differs twice."""
    guest = answer.guest
    yield f"QEMU {visible(answer.version)} ({visible(answer.program)}), target {answer.target}"
    dump = f"{guest.machine}, ELF{guest.bits}, {guest.order}-endian"
    yield f"the dump is {dump}; predicted by the rules of {answer.rules}"
    if answer.lost == 0:
        yield "the guest has no RAM where the entry says: QEMU does not see the note there"
    elif answer.lost is not None:
        yield f"the guest has RAM for the first {answer.lost} bytes of the note only: QEMU reads others behind"
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
    yield ""
    yield "QEMU did otherwise than predicted" if answer.differences else "QEMU did what was predicted"


def _shown(side: Seen, name: str) -> str:
    if name == "warnings":
        return "; ".join(safe(line) for line in side.warnings) or "none"
    if name == "appended":
        return "nothing" if side.appended is None else f"{len(side.appended)} bytes"
    return hex(side.phys_base) if name == "phys_base" else side.entry.hex(" ")


def _first_difference(seen: bytes, predicted: bytes) -> str:
    at = next((at for at, (a, b) in enumerate(zip(seen, predicted, strict=False)) if a != b), None)
    if at is None:
        return f"the first {min(len(seen), len(predicted))} bytes are the same"
    return f"byte {at:#x} is {seen[at]:#04x}, predicted {predicted[at]:#04x}"
