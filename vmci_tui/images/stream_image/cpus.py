"""Make the notes of the CPUs from a stream's sections, by its own description of them."""

from __future__ import annotations

from vmci_tui.common.errors import OpenError
from vmci_tui.images.stream_image.stream import Stream
from vmci_tui.images.vmstate.cpu_notes import CPU, STATE_LIMIT, Cpus, read_cpus
from vmci_tui.images.vmstate.description import LIMIT, Description


def cpus_of(stream: Stream) -> Cpus:
    """Return the CPUs of a stream, with notes where the stream describes their state."""
    states: dict[int, bytes] = {}
    for section in stream.sections:
        if section.name == CPU and section.instance not in states:
            states[section.instance] = stream.source.read(section.at, min(section.length, STATE_LIMIT))
    return read_cpus(states, _description(stream))


def _description(stream: Stream) -> Description | None:
    """Return the description of the devices; None if the stream has none, or a damaged one."""
    place = stream.description
    if place is None:
        return None
    try:
        return Description.of(stream.source.read(place.at, min(place.length, LIMIT + 1)))
    except OpenError:
        return None
