"""Say what is different in a VM that was asked again: another process, another boot, another entry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.document.document import Document
from vmci_tui.formats.fw_cfg_entry import EntryHistory
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.images.as_dump import ImageDump
from vmci_tui.live.memory import LiveMemory

_OFFSET: Final = b"KERNELOFFSET"
_MOST: Final = 64
"""Bytes of a release or a value that are shown."""


def what_changed(before: Document, after: Document) -> Safe:
    """Return a clause with what is different, each with what it was; the two are of one name."""
    old, new = _memory(before), _memory(after)
    return Safe("; ".join([*_machine(old, new), *_contents(before, after)]) or _same(before))


def _same(document: Document) -> str:
    state = document.state
    if state.entry is None and state.vmcoreinfo is None:
        return "without entry and note nothing says whether it has booted again"
    return "nothing has changed"


def _memory(document: Document) -> LiveMemory:
    assert isinstance(document.dump, ImageDump) and isinstance(document.dump.image.source, LiveMemory)
    return document.dump.image.source


def _machine(old: LiveMemory, new: LiveMemory) -> Iterator[str]:
    if old.vm.owner != new.vm.owner:
        yield "it is another QEMU process now"
    if old.facts.state != new.facts.state:
        yield f"it is {new.facts.state} now, was {old.facts.state}"
    if old.facts.ranges != new.facts.ranges:
        yield "its memory map is another one"


def _contents(before: Document, after: Document) -> Iterator[str]:
    was, now = before.state, after.state
    if was.entry is not None and now.entry is not None and was.entry.raw != now.entry.raw:
        yield _entry(was.entry, now.entry)
    if was.vmcoreinfo is not None and now.vmcoreinfo is not None and was.vmcoreinfo != now.vmcoreinfo:
        yield _note(was.vmcoreinfo, now.vmcoreinfo)
    elif now.vmcoreinfo is None and was.vmcoreinfo is not None:
        yield "QEMU has no note now"
    elif was.vmcoreinfo is None and now.vmcoreinfo is not None:
        yield "QEMU has a note now"


def _entry(was: EntryHistory, now: EntryHistory) -> str:
    if now.never_written:
        return "the guest was reset, and has not written its entry again"
    if was.never_written:
        return "the guest has written its entry"
    return f"the entry names {now.entry.paddr:#x}, was {was.entry.paddr:#x}"


def _note(was: Vmcoreinfo, now: Vmcoreinfo) -> str:
    """Return what a new note means: each boot puts the kernel at another place, if not told otherwise."""
    if was.osrelease != now.osrelease:
        return f"the guest has booted another kernel, {_shown(now.osrelease)}, was {_shown(was.osrelease)}"
    offsets = was.get(_OFFSET), now.get(_OFFSET)
    if None not in offsets and offsets[0] != offsets[1]:
        return f"the guest has booted again: KERNELOFFSET is {_shown(offsets[1])}, was {_shown(offsets[0])}"
    return "the note is another one: the guest has booted again"


def _shown(value: bytes | None) -> Safe:
    return Safe("?") if value is None else visible(value[:_MOST])
