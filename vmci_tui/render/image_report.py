"""What a memory image or a running VM says beside what a dump has, as text and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vmci_tui.common.safe_text import visible
from vmci_tui.containers import Dump
from vmci_tui.images.as_dump import ImageDump
from vmci_tui.live.memory import LiveMemory


def image_lines(dump: Dump) -> Iterator[str]:
    """Yield lines for `vmci show`: the VM, then what is odd or missing."""
    if not isinstance(dump, ImageDump):
        return
    if isinstance(source := dump.image.source, LiveMemory):
        facts, vm = source.facts, source.vm
        yield (
            f"VM: QEMU {vm.version}, {'running' if facts.running else 'not running'}, "
            f"{'with a' if facts.device else 'without a'} vmcoreinfo device; {_stopped(source)}"
        )
    for words in (*dump.doubts, dump.missing):
        if words:
            yield f"  {words}"


def image_json(dump: Dump) -> dict[str, Any]:
    """Return the keys that a dump in a file does not have."""
    if not isinstance(dump, ImageDump) or not isinstance(source := dump.image.source, LiveMemory):
        return {}
    facts, vm = source.facts, source.vm
    live = {
        "qemu": vm.version,
        "running": facts.running,
        "device": facts.device,
        "map": [item._asdict() | {"block": visible(item.block)} for item in facts.ranges],
        "stopped_ms": round(vm.stops.milliseconds, 3),
        "commands": list(vm.sent),
    }
    return {"live": live}


def _stopped(source: LiveMemory) -> str:
    times, milliseconds = source.vm.stops
    if not times:
        return "not stopped by vmci"
    return f"stopped {times} time{'' if times == 1 else 's'} by vmci, for {milliseconds:.1f} ms in all"
