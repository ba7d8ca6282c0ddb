"""Edit the entry: its fields, and the guest's writes to it."""

from __future__ import annotations

from dataclasses import replace

from vmci_tui.common.errors import EditError
from vmci_tui.document.edit import labelled
from vmci_tui.document.state import State
from vmci_tui.formats.fw_cfg_entry import FIELDS, LENGTH, EntryHistory, Write


@labelled("set entry.{name}={value:#x}")
def set_field(state: State, name: str, value: int) -> State:
    """Return the state with one field of the entry set, by one full write of 16 bytes."""
    return replace(state, entry=_entry(state).with_field(name, value))


@labelled("paste the entry")
def set_entry(state: State, entry: EntryHistory) -> State:
    """Return the state with another entry, with all its writes."""
    return replace(state, entry=entry)


def _written(write: Write, index: int = 0) -> str:
    return f"write {write.length} byte{'' if write.length == 1 else 's'} at {write.offset}"


@labelled(_written)
def add_write(state: State, write: Write) -> State:
    """Return the state with one more write, the last."""
    return _with_writes(state, (*_entry(state).writes, write))


@labelled(lambda writes: "; then ".join(map(_written, writes)))
def add_writes(state: State, writes: tuple[Write, ...]) -> State:
    """Return the state with more writes, the last ones."""
    return _with_writes(state, (*_entry(state).writes, *writes))


@labelled(_written)
def change_write(state: State, index: int, write: Write) -> State:
    """Return the state with another write in place of one."""
    writes = _entry(state).writes
    return _with_writes(state, (*writes[:index], write, *writes[index + 1 :]))


@labelled(lambda index: f"delete write {index + 1}")
def delete_write(state: State, index: int) -> State:
    """Return the state without one write."""
    writes = _entry(state).writes
    return _with_writes(state, (*writes[:index], *writes[index + 1 :]))


def _with_writes(state: State, writes: tuple[Write, ...]) -> State:
    return replace(state, entry=_entry(state).with_writes(writes))


@labelled("write all 16 bytes at offset 0")
def rewrite_whole(state: State) -> State:
    """Return the state with the entry's bytes as one full write of 16 bytes at offset 0."""
    entry = _entry(state)
    kept = () if entry.origin == "blob" else entry.writes
    whole = Write(0, LENGTH, entry.entry.pack())
    return replace(state, entry=EntryHistory(entry.origin, (*kept, whole)))


@labelled("overwrite the entry")
def overwrite_entry(state: State, at: int, data: bytes) -> State:
    """Return the state with bytes of the entry overwritten; a blob that is not 16 bytes long keeps its length.

    Raises EditError outside the entry."""
    entry = _entry(state)
    last = entry.writes[-1] if entry.origin == "blob" and entry.writes else None
    old = entry.entry.pack() if last is None or last.data is None else last.data
    if at < 0 or at + len(data) > len(old):
        raise EditError(f"the entry has {len(old)} bytes", "bytes are overwritten, not added")
    raw = old[:at] + data + old[at + len(data) :]
    kept = () if entry.origin == "blob" else entry.writes
    return replace(state, entry=EntryHistory(entry.origin, (*kept, Write(0, len(raw), raw))))


@labelled("swap the bytes of all fields")
def swap_entry(state: State) -> State:
    """Return the state with the bytes of every field of the entry swapped."""
    swapped = (
        int.from_bytes(v.to_bytes(f.length, "little"), "big") for f, v in zip(FIELDS, _entry(state).entry, strict=True)
    )
    for field, value in zip(FIELDS, tuple(swapped), strict=True):
        state = set_field(state, field.name, value)
    return state


def _entry(state: State) -> EntryHistory:
    if state.entry is None:
        raise EditError("no entry is open", "open its 16 bytes beside the dump: vmci FILE BLOB")
    return state.entry
