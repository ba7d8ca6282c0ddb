"""What a memory image or a running VM says beside what a dump has, as text and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from vmci_tui.common.safe_text import visible
from vmci_tui.common.sizes import size_text
from vmci_tui.containers import Dump
from vmci_tui.images.as_dump import ImageDump
from vmci_tui.images.guest_image import StreamFacts
from vmci_tui.live.memory import LiveMemory

_BLOCKS: Final = 32
"""The most RAM blocks that are listed; JSON has all."""


def image_lines(dump: Dump) -> Iterator[str]:
    """Yield lines for `vmci show`: the VM or the stream, then what is odd or missing."""
    if not isinstance(dump, ImageDump):
        return
    if isinstance(source := dump.image.source, LiveMemory):
        facts, vm = source.facts, source.vm
        yield (
            f"VM: QEMU {vm.version}, {'running' if facts.running else f'not running ({facts.state})'}, "
            f"{'with a' if facts.device else 'without a'} vmcoreinfo device; {_stopped(source)}"
        )
    if dump.image.stream is not None:
        yield from _stream_lines(dump.image.stream)
    yield from (f"  {words}" for words in remarks(dump))


def remarks(dump: Dump) -> Iterator[str]:
    """Yield as sentences what is odd in a file, and what memory it lacks."""
    for words in filter(None, (*dump.doubts, dump.missing)):
        yield f"{words[:1].upper()}{words[1:].rstrip('.')}."


def image_json(dump: Dump) -> dict[str, Any]:
    """Return the keys that a dump in a file does not have."""
    if not isinstance(dump, ImageDump):
        return {}
    if dump.image.stream is not None:
        return {"stream": _stream_json(dump.image.stream)}
    if not isinstance(source := dump.image.source, LiveMemory):
        return {}
    facts, vm = source.facts, source.vm
    live = {
        "qemu": vm.version,
        "running": facts.running,
        "device": facts.device,
        "map": [item._asdict() | {"block": visible(item.block)} for item in facts.ranges],
        "stopped_ms": None if vm.stops.times and not vm.stops.milliseconds else round(vm.stops.milliseconds, 3),
        "commands": list(vm.sent),
    }
    return {"live": live}


def _stream_lines(stream: StreamFacts) -> Iterator[str]:
    words = [visible(stream.machine) if stream.machine else "machine type unknown"]
    words += [visible(name) for name in stream.capabilities]
    words += [f"in a {stream.wrapped} file"] if stream.wrapped else []
    words += [f"compressed by {stream.compression}"] if stream.compression else []
    cpus = f"{stream.cpus} CPU{'' if stream.cpus == 1 else 's'}"
    yield f"stream: {', '.join(words)}; {cpus}, {'complete' if stream.complete else 'not complete'}"
    names = [visible(block.name) for block in stream.blocks[:_BLOCKS]]
    wide = max(map(len, names), default=0)
    for name, block in zip(names, stream.blocks, strict=False):
        where = "" if block.paddr is None else f"  from paddr {block.paddr:#x}"
        yield f"  {name:<{wide}}  {size_text(block.length):>9}{where}"
    if len(stream.blocks) > _BLOCKS:
        yield f"  and {len(stream.blocks) - _BLOCKS} more blocks"


def _stream_json(stream: StreamFacts) -> dict[str, Any]:
    return {
        "at": stream.at,
        "machine": visible(stream.machine),
        "capabilities": [visible(name) for name in stream.capabilities],
        "blocks": [block._asdict() | {"name": visible(block.name)} for block in stream.blocks],
        "wrapped": stream.wrapped,
        "compression": stream.compression,
        "complete": stream.complete,
        "cpus": stream.cpus,
    }


def _stopped(source: LiveMemory) -> str:
    times, milliseconds = source.vm.stops
    if not times:
        return "not stopped by vmci"
    each = "" if times == 1 else " each"
    long = f"{milliseconds:.1f} ms in all" if milliseconds else f"about a millisecond{each}"
    return f"stopped {times} time{'' if times == 1 else 's'} by vmci, for {long}"
