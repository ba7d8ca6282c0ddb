"""Make the notes of the CPUs from a stream's sections, by its own description of them."""

from __future__ import annotations

from vmci_tui.common.errors import OpenError
from vmci_tui.images.stream_image.stream import Stream
from vmci_tui.images.vmstate.cpu_notes import COMMON, CPU, STATE_LIMIT, Cpus, read_cpus
from vmci_tui.images.vmstate.description import LIMIT, Description


def cpus_of(stream: Stream) -> Cpus:
    """Return the CPUs of a stream, with notes where the stream describes their state."""
    return read_cpus(_states(stream, CPU), _description(stream), _states(stream, COMMON))


def _states(stream: Stream, name: str) -> dict[int, bytes]:
    """Return the bytes of the sections of a name, by their instance; of two of one instance the first."""
    states: dict[int, bytes] = {}
    for section in stream.sections:
        if section.name == name and section.instance not in states:
            states[section.instance] = stream.source.read(section.at, min(section.length, STATE_LIMIT))
    return states


def _description(stream: Stream) -> Description | None:
    """Return the description of the devices; None if the stream has none, or a damaged one."""
    place = stream.description
    if place is None:
        return None
    try:
        return Description.of(stream.source.read(place.at, min(place.length, LIMIT + 1)))
    except OpenError:
        return None
