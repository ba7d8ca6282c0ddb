"""Read and write `NAME.write.json`: the guest's writes to the entry, as JSON.

One write, or a list of them, each `{"offset": int, "length": int, "bytes": hex}`; null
means "never written"; `bytes` of null means a write whose source was not memory. An object
with the key `write` (a line of a case file) stands for the value of that key.
"""

from __future__ import annotations

from vmci_tui.common.errors import OpenError, SaveError
from vmci_tui.formats.fw_cfg_entry import EntryHistory, Write

ENDING = ".write.json"
LIMIT = 1 << 20
"""The most bytes of JSON that are read."""
_MOST_WRITES = 10_000
_HINT = 'each write is {"offset": 0, "length": 16, "bytes": "0000..."}'


def is_named_so(path: str) -> bool:
    """Return whether a file of this name is opened as the guest's writes."""
    return path.endswith(".json")


def encode(history: EntryHistory) -> bytes:
    """Return the writes as `parse` reads them, one a line. Raises SaveError if there are more than it accepts."""
    import json

    lines = [
        json.dumps({"offset": w.offset, "length": w.length, "bytes": None if w.data is None else w.data.hex()})
        for w in history.writes
    ]
    data = "".join(("[\n", ",\n".join(lines), "\n]\n" if lines else "]\n")).encode("ascii")
    if len(lines) > _MOST_WRITES or len(data) > LIMIT:
        raise SaveError(f"{len(lines)} writes are too many for a list of writes", "save the entry, as a blob")
    return data


def parse(data: bytes) -> EntryHistory:
    """Read the writes. Raises OpenError with the first thing that is wrong."""
    import json  # here, since every opening imports this module

    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise OpenError("this is not JSON, or it is cut off", _HINT) from None
    return history_of(value)


def history_of(value: object) -> EntryHistory:
    """Return the writes in a parsed JSON value. Raises OpenError."""
    items = value if isinstance(value, list) else [value]
    if len(items) > _MOST_WRITES:
        raise OpenError(f"{len(items)} writes are more than {_MOST_WRITES}", "split the file")
    writes = (_write(item, number) for number, item in enumerate(items, 1))
    return EntryHistory("writes", tuple(write for write in writes if write is not None))


def _write(item: object, number: int) -> Write | None:
    if isinstance(item, dict) and "write" in item:
        item = item["write"]
    if item is None:
        return None
    if not isinstance(item, dict):
        raise OpenError(f"write {number} is not an object", _HINT)
    offset, length, text = item.get("offset"), item.get("length"), item.get("bytes")
    for name, value in (("offset", offset), ("length", length)):
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 32:
            raise OpenError(f"write {number} has no {name} from 0 to 2^32-1", _HINT)
    assert isinstance(offset, int) and isinstance(length, int)
    if text is None and "bytes" in item:
        return Write(offset, length, None)
    try:
        raw = bytes.fromhex(text) if isinstance(text, str) else None
    except ValueError:
        raw = None
    if raw is None:
        raise OpenError(f"the bytes of write {number} are not hex digits", _HINT)
    if len(raw) != length:
        raise OpenError(f"write {number} says length {length} and has {len(raw)} bytes", _HINT)
    return Write(offset, length, raw)
