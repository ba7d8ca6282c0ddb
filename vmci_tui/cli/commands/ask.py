"""`vmci ask`: run a real QEMU, and compare what it does with the prediction."""

from __future__ import annotations

import argparse

from vmci_tui.cli.chosen_readers import given
from vmci_tui.cli.output import print_json, print_lines
from vmci_tui.common.safe_text import safe, visible
from vmci_tui.opening.note_inputs import bytes_from
from vmci_tui.opening.open_entry import read_entry
from vmci_tui.qemu.answer_report import answer_text
from vmci_tui.qemu.ask import Answer, ask
from vmci_tui.qemu.machine import QemuOutput
from vmci_tui.readers.verdicts import DEFAULT
from vmci_tui.readers.version import is_version


def run(options: argparse.Namespace) -> int:
    """Run the command; return 0 if QEMU does what was predicted, else 1."""
    history, _, name = read_entry(options.blob)
    rules = DEFAULT.at(given(options)).qemu if "qemu" in given(options) else None
    path, rules = (None, options.qemu) if is_version(options.qemu or "") else (options.qemu, rules)
    answer = ask(history, bytes_from(options.note), options.target, path, rules)
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


def _side(side: QemuOutput) -> dict[str, object]:
    return {
        "warnings": [safe(line) for line in side.warnings],
        "appended_length": len(side.appended or b""),
        "appended": None if side.appended is None else side.appended.hex(),
        "phys_base": hex(side.phys_base),
        "entry": side.entry.hex(),
    }
