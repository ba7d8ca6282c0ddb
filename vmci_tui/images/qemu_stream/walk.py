"""Walk over the records of a stream: its sections, and the index of its pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from vmci_tui.images.qemu_stream import records
from vmci_tui.images.qemu_stream.cursor import BrokenStream, Cursor
from vmci_tui.images.qemu_stream.footers import find_footer
from vmci_tui.images.qemu_stream.head import Configuration, read_configuration
from vmci_tui.images.qemu_stream.ram import RamRecords
from vmci_tui.images.qemu_stream.sections import Section
from vmci_tui.layers.file import Source

RAM: Final = "ram"
_SECTIONS: Final = 1 << 16
"""The most sections of devices that are listed. A guest of 4096 CPUs has three for each."""


class Description(NamedTuple):
    """Where in a stream the JSON text is that describes its device sections."""

    at: int
    length: int


@dataclass
class Walk:
    """What a walk has found so far."""

    configuration: Configuration
    ram: RamRecords
    sections: list[Section] = field(default_factory=list)
    """The states that are in one section each."""
    started: dict[int, str] = field(default_factory=dict)
    """Ids and names of the states that are sent in parts."""
    description: Description | None = None
    complete: bool = False
    """Whether the walk came to the end of the stream."""


def begin(source: Source, at: int = 0) -> tuple[Walk, Cursor]:
    """Read the configuration of the stream at an offset; return the walk and its place. Raises BrokenStream."""
    cursor = Cursor(source, at)
    configuration = read_configuration(cursor)
    return Walk(configuration, RamRecords(configuration, source.size)), cursor


def step(walk: Walk, cursor: Cursor) -> bool:
    """Read the next record; return whether there are more. Raises BrokenStream, with what came before in `walk`."""
    at, kind = cursor.at, cursor.number(1)
    match kind:
        case records.END:
            walk.complete = True
            return cursor.peek(1) == bytes([records.DESCRIPTION])
        case records.START | records.FULL:
            _read_section(walk, cursor, kind)
        case records.PART | records.LAST:
            section = cursor.number(4)
            if section not in walk.started:
                raise BrokenStream("it has a part of a section that did not start", at)
            _read_part(walk, cursor, section, walk.started[section])
        case records.DESCRIPTION:
            length = cursor.number(4)
            walk.description = Description(cursor.at, min(length, cursor.end - cursor.at))
            walk.complete = True
            cursor.skip(length)
            return False
        case records.COMMAND:
            cursor.skip(2)
            cursor.skip(cursor.number(2))
        case _:
            raise BrokenStream(f"it has a record of unknown kind {kind:#x}", at)
    return True


def _read_section(walk: Walk, cursor: Cursor, kind: int) -> None:
    at, section, name = cursor.at, cursor.number(4), cursor.name()
    instance, version = cursor.number(4), cursor.number(4)
    if kind == records.START:
        walk.started[section] = name
        _read_part(walk, cursor, section, name)
        return
    if len(walk.sections) == _SECTIONS:
        raise BrokenStream(f"it has more than {_SECTIONS} sections", at)
    start = cursor.at
    end = find_footer(cursor.source, start, section, walk.started)
    walk.sections.append(Section(section, name, instance, version, start, end - start))
    cursor.move(end)
    _read_footer(cursor, section)


def _read_part(walk: Walk, cursor: Cursor, section: int, name: str) -> None:
    """Read a part of a state: RAM ends by itself, all others are skipped up to their footer."""
    if name == RAM:
        walk.ram.read_section(cursor)
    else:
        cursor.move(find_footer(cursor.source, cursor.at, section, walk.started))
    _read_footer(cursor, section)


def _read_footer(cursor: Cursor, section: int) -> None:
    """Go on after a footer. Old machine types write none."""
    at = cursor.at
    if cursor.peek(1) != bytes([records.FOOTER]):
        return
    cursor.skip(1)
    if cursor.number(4) != section:
        raise BrokenStream("a section ends with the number of another", at)
