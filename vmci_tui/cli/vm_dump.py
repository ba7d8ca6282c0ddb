"""Take the dump of a running VM for `vmci convert`: say what it costs, ask, and open what QEMU wrote."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import IO

from vmci_tui.cli.open_named import image_choice
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import SaveError, UsageError
from vmci_tui.common.sizes import size_text
from vmci_tui.document.document import Document
from vmci_tui.images.as_dump import ImageDump
from vmci_tui.images.guest_image import ImageChoice
from vmci_tui.layers.file import FileSource, reason
from vmci_tui.live.commands import COMMANDS
from vmci_tui.live.memory import LiveMemory
from vmci_tui.live.take_dump import TakenDump, seconds_for, take_dump
from vmci_tui.live.virsh_dump import dump_by_virsh
from vmci_tui.live.vm import RunningVm
from vmci_tui.opening.open_file import open_document
from vmci_tui.render.dump_report import Json
from vmci_tui.render.image_report import image_json
from vmci_tui.saving.harm import consent
from vmci_tui.saving.new_file import refuse_target


def print_vm_plan(options: argparse.Namespace) -> int:
    """Print for `convert --dry-run` what a dump costs, and all that can be sent to the VM; stop nothing, return 0."""
    with open_document(options.file, choice=ImageChoice(stop=False)) as shown:
        source = _live(shown)
        if options.json:
            rows = [{"command": row.shown(), "reason": row.reason, "stops": row.stops or None} for row in COMMANDS]
            plan = {"plan": None, "seconds": round(seconds_for(_size(shown)), 1), "sent": rows}
            print_json({"file": shown.name, **image_json(_dump(shown)), **plan})
            return 0
        print_lines((_cost(shown, source), "", "all that vmci can send to a VM:"))
        for row in COMMANDS:
            stops = f"; the guest is stopped for {row.stops}" if row.stops else ""
            print_lines((f"  {row.shown()}", f"      {row.reason}{stops}"))
    return 0


@contextmanager
def dump_of_vm(options: argparse.Namespace) -> Iterator[tuple[Document, Json]]:
    """Yield the dump that QEMU made of the VM, with the entry, as a document named as the VM; and the VM as JSON.

    It is in a file without a name in the folder of the output, which is gone after the block or when vmci is killed.
    Raises UsageError without consent, OpenError, SaveError.
    """
    with open_document(options.file, choice=image_choice(options)) as shown:
        source, entry = _live(shown), shown.state.entry
        refuse_target(shown.source, options.output)
        for words in _lacking(shown, source):
            say(f"vmci: {words}")
        say(f"vmci: {_cost(shown, source)}")
        if source.facts.running and not consent(options.yes).stop:
            _ask()
        folder = os.path.dirname(os.path.realpath(options.output))
        with ExitStack() as stack:
            try:
                file, taken = stack.enter_context(_taken(source.vm, folder, _size(shown)))
            except OSError as error:
                words = f"the dump could not be written: {reason(error)}"
                raise SaveError(words, "the guest goes on; choose another folder") from None
            still = f"; the guest stood still for {taken.stopped_ms / 1000:.1f} s" if taken.stopped_ms else ""
            say(f"QEMU wrote {size_text(taken.size)}{still}")
            document = stack.enter_context(open_document(f"/proc/self/fd/{file.fileno()}"))
            assert isinstance(document.source, FileSource)
            document.name, document.source.path = shown.name, options.file
            document.opened = replace(document.opened, entry=entry)
            yield document, image_json(_dump(shown))


@contextmanager
def _taken(vm: RunningVm, folder: str, memory: int) -> Iterator[tuple[IO[bytes], TakenDump]]:
    """Yield an open file without a name in `folder`, with the dump. Raises OpenError, OSError."""
    if not vm.hands_over:
        with dump_by_virsh(vm, folder, memory, shown_progress()) as made:
            yield made
        return
    with tempfile.TemporaryFile(dir=folder) as file:
        yield file, take_dump(vm, file.fileno(), memory, shown_progress())


def _dump(shown: Document) -> ImageDump:
    assert isinstance(shown.dump, ImageDump)
    return shown.dump


def _live(shown: Document) -> LiveMemory:
    source = _dump(shown).image.source
    assert isinstance(source, LiveMemory)
    return source


def _size(shown: Document) -> int:
    return _dump(shown).guest_memory.size


def _cost(shown: Document, source: LiveMemory) -> str:
    """Return how long the guest stands still."""
    size = f"{shown.name} has {size_text(_size(shown))}"
    if not source.facts.running:
        return f"{size}, and does not run: a dump stops nothing"
    seconds = max(round(seconds_for(_size(shown))), 1)
    if not source.vm.hands_over:
        return f"{size}, and runs: libvirt stops it for the dump, about {seconds} s, which Ctrl-C does not make shorter"
    return f"{size}, and runs: QEMU stops it for the dump, about {seconds} s, and lets it go on by itself"


def _lacking(shown: Document, source: LiveMemory) -> Iterator[str]:
    """Yield what a dump of this VM will lack, as far as it is known before."""
    history = shown.state.entry
    if not source.facts.device:
        yield "this VM has no vmcoreinfo device: QEMU writes no note, and it is looked for in the dump's memory"
    elif history is not None and history.never_written:
        yield "the guest has not written the entry: QEMU writes no note, and it is looked for in the dump's memory"
    elif history is not None and not shown.state.note:
        yield "QEMU does not accept the entry: it writes no note, and it is looked for in the dump's memory"
    if source.vm.hands_over:
        yield from _dump(shown).doubts


def _ask() -> None:
    """Return if the user agrees that the guest stands still. Raises UsageError otherwise."""
    if sys.stdin.isatty() and sys.stderr.isatty():
        sys.stderr.write("dump it? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            return
    raise UsageError("nothing was stopped or written", "--yes stop agrees to it")
