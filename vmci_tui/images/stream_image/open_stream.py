"""Open a QEMU migration stream as a memory image: memory, entry, and what the stream says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import visible
from vmci_tui.common.sizes import size_text
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.images.guest_image import GuestImage, ImageChoice, RamBlock, StreamFacts
from vmci_tui.images.qemu_stream.head import Block
from vmci_tui.images.stream_image import entry
from vmci_tui.images.stream_image.addresses import CLOCK, CMOS, Layout, is_ram, layouts
from vmci_tui.images.stream_image.choose import decide, memory_of
from vmci_tui.images.stream_image.cpus import cpus_of
from vmci_tui.images.stream_image.held_memory import held_memory
from vmci_tui.images.stream_image.stream import Stream, read_stream
from vmci_tui.layers.file import Source

_MACHINES: Final[tuple[tuple[str, str, ByteOrder], ...]] = (
    ("pc-", "x86_64", "little"), ("microvm", "x86_64", "little"), ("virt-", "aarch64", "little"),
    ("s390-", "s390x", "big"), ("virt", "riscv64", "little"),
)  # fmt: skip
"""The usual machine of a machine type, where its CPUs do not say which it is."""

_ORDER: Final = "--blocks NAME,... names them in the order of their addresses"
_ASK: Final = "name its blocks, as the VM's -numa options order them: `--blocks NAME,...`"
_AGAIN: Final = "use a dump by `dump-guest-memory`, which has all addresses"
_SHARED: Final = "use a dump by `dump-guest-memory`: a stream may leave out shared memory (x-ignore-shared)"
_NAMED: Final = 8
"""The most blocks that are named in a sentence."""


def open_stream(source: Source, choice: ImageChoice, at: int = 0) -> GuestImage:
    """Read what the stream at an offset of a file holds. Raises OpenError for one whose head is damaged."""
    stream = read_stream(source, choice.progress, at)
    if choice.pages:
        with suppress(OpenError):  # what is before a damage is shown, and each read of memory says it
            stream.memory.find_pages(choice.progress)
    type_ = stream.configuration.machine
    history = entry.entry_of(stream.state(entry.NAME, entry.LENGTH))
    possible = layouts(type_, stream.blocks, stream.state(CLOCK, CMOS), choice.blocks)
    cpus = cpus_of(stream)
    layout = decide(possible, stream.memory, history, cpus.notes if cpus.machine == "x86_64" else ())
    machine, order = (cpus.machine, cpus.order) if cpus.machine else _machine(type_)
    memory = memory_of(layout, stream.memory) if stream.index is None else held_memory(layout, stream, stream.index)
    unplaced = _unplaced(stream, layout)
    lacking = tuple(_lacking(stream, layout, bool(unplaced)))
    return GuestImage(
        "qemu-stream",
        machine,
        None,
        order,
        stream.memory,
        memory,
        notes=cpus.notes,
        halted=cpus.halted,
        entry=history,
        doubts=(*(f"{text[:1].upper()}{text[1:]}." for text in layout.doubts), *cpus.doubts),
        missing="; ".join(words for words, _ in lacking),
        cure="; ".join(dict.fromkeys(filter(None, (cure for _, cure in lacking)))),
        unplaced=unplaced,
        stream=_facts(stream, layout, cpus.number),
    )


def _machine(type_: str) -> tuple[str, ByteOrder] | tuple[None, None]:
    return next(((name, order) for prefix, name, order in _MACHINES if type_.startswith(prefix)), (None, None))


def _facts(stream: Stream, layout: Layout, cpus: int) -> StreamFacts:
    paddrs: dict[int, int] = {}
    for item in sorted(layout.placed, reverse=True):
        if not item.offset:
            paddrs[item.block] = item.paddr
    blocks = (RamBlock(block.name, block.length, paddrs.get(number)) for number, block in enumerate(stream.blocks))
    configuration = stream.configuration
    whole = not stream.broken
    return StreamFacts(0, configuration.machine, configuration.capabilities, tuple(blocks), complete=whole, cpus=cpus)


def _unplaced(stream: Stream, layout: Layout) -> tuple[str, ...]:
    """Return the blocks that the user must put in order: none of the guest's memory has an address."""
    if any(is_ram(stream.blocks[item.block].name) for item in layout.placed):
        return ()
    return tuple(visible(stream.blocks[number].name) for number in layout.unplaced)


def _lacking(stream: Stream, layout: Layout, asks: bool) -> Iterator[tuple[str, str]]:
    """Yield what memory the stream does not have, or not at a known address, and what to do; empty: copy it again."""
    if stream.broken:
        yield f"the stream {stream.broken}; what is before that is shown", ""
    without = [stream.blocks[number] for number in layout.unplaced]
    if without:
        words = f"the stream does not say at which paddr it has the memory of {_listed(without)}"
        yield (f"{words}; {_ORDER}", f"{_ASK}, or {_AGAIN}") if asks else (words, _AGAIN)
    if stream.index is not None:
        places = {number: stream.index.places[number] for number in sorted({item.block for item in layout.placed})}
        empty = [stream.blocks[number] for number, found in places.items() if not any(found)]
        absent = [block for block in empty if block.mapped is None]
        if absent:
            yield f"the stream has no page of {_listed(absent)}", "" if stream.broken else _SHARED


def _listed(blocks: list[Block]) -> str:
    names = ", ".join(f"{visible(block.name)} ({size_text(block.length)})" for block in blocks[:_NAMED])
    return f"{names} and {len(blocks) - _NAMED} more" if len(blocks) > _NAMED else names
