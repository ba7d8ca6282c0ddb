"""The headless commands that only look: open, then print. No rule lives here."""

from __future__ import annotations

import argparse
import os

from vmci_tui.cli.output import print_json, print_lines
from vmci_tui.cli.streams import tell
from vmci_tui.common.errors import UsageError
from vmci_tui.document.document import Document
from vmci_tui.formats.fw_cfg_entry import parse_number
from vmci_tui.opening.open_file import open_document
from vmci_tui.render import dump_report as report

_HEX_LIMIT = 1 << 20


def run(options: argparse.Namespace) -> int:
    """Run one parsed command; the exit code."""
    looks = {"show": _show, "check": _check, "hex": _hex}
    if options.command in looks:
        return looks[options.command](options)
    if options.command == "explain":
        from vmci_tui.cli.commands import explain as explaining

        return explaining.run(options)
    if options.command == "find":
        from vmci_tui.cli.commands import find as searching

        return searching.run(options)
    if options.command == "diff":
        from vmci_tui.cli.commands import diff as comparing

        return comparing.run(options)
    if options.command == "repair":
        from vmci_tui.cli.commands import repair as repairing

        return repairing.run(options)
    if options.command == "unflatten":
        from vmci_tui.cli.commands import unflatten as unflattening

        return unflattening.run(options)
    if options.command == "craft":
        from vmci_tui.cli.commands import craft as crafting

        return crafting.run(options)
    if options.command in ("ask", "predict"):
        from vmci_tui.cli.commands import ask as asking

        return asking.run(options)
    if options.command == "lessons":
        from vmci_tui.cli.commands import lessons as teaching

        return teaching.run(options)
    if options.command == "serve":
        from vmci_tui.cli.commands import serve as serving

        return serving.run(options)
    from vmci_tui.cli.commands import edit as writing

    return writing.run(options)


def _warn_unfinished(path: str) -> None:
    """Say it where an in-place save of the file was cut short; one look for a name where there was none."""
    if not os.path.exists(os.path.realpath(path) + ".vmci-undo"):
        return
    from vmci_tui.saving.take_back import is_cut_short

    if is_cut_short(path):
        tell("vmci: a save in place of this file was cut short; `vmci undo FILE` takes it back, --finish ends it")


def _show(options: argparse.Namespace) -> int:
    with open_document(options.file, options.blob) as document:
        _warn_unfinished(options.file)
        if options.json:
            print_json(report.shown_json(document), None if document.dump is None else document.layout.memory.ranges)
        else:
            print_lines(report.show_text(document))
    return 0


def _check(options: argparse.Namespace) -> int:
    from vmci_tui.cli.commands import check as checking

    _warn_unfinished(options.file)
    return checking.run(options)


def _hex(options: argparse.Namespace) -> int:
    with open_document(options.file) as document:
        return _hexed(options, document)


def _hexed(options: argparse.Namespace, document: Document) -> int:
    from vmci_tui.formats.hex_dump import dump_lines

    length = parse_number(options.length)
    if not 0 <= length <= _HEX_LIMIT:
        raise UsageError(f"--len is from 0 to {_HEX_LIMIT}", "read the file in parts")
    at: int | None = 0
    if options.paddr is not None:
        shown = parse_number(options.paddr)
        data, at = _memory(document, shown, length)
    else:
        at = shown = parse_number(options.at or "0")
        if not 0 <= at <= document.layout.image.size:
            raise UsageError(f"the file has no byte at {at}", f"it has {document.layout.image.size} bytes")
        data = document.read(at, length)
    if options.json:
        print_json({"file": document.name, "offset": at, "length": len(data), "hex": data.hex()})
    else:
        print_lines(dump_lines(data, shown))
    return 0


def _memory(document: Document, paddr: int, length: int) -> tuple[bytes, int | None]:
    """Bytes of guest memory, up to the end of their range, and where they lie in the file; None where compressed."""
    from vmci_tui.containers.guest import guest_of

    guest = guest_of(document.dump) if document.dump is not None else None
    item = guest.memory.range_at(paddr) if guest is not None else None
    if guest is None or item is None or item.offset is None:
        raise UsageError(f"the dump holds no byte at paddr {paddr:#x}", "`vmci show` lists its memory")
    data = guest.source.read(item.offset + paddr - item.paddr, min(length, item.end - paddr))
    if length and not data:
        raise UsageError(f"the page at paddr {paddr:#x} is damaged", "dump the guest again")
    return data, guest.offset_of(paddr)
