"""Save a crafted dump: its files, and a manifest with their contents, findings and verdicts."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from vmci_tui import __version__
from vmci_tui.bench.crafted_dump import Crafted
from vmci_tui.common.errors import SaveError
from vmci_tui.common.safe_text import visible
from vmci_tui.formats.fw_cfg_entry import EntryHistory
from vmci_tui.render import dump_report as report
from vmci_tui.render import verdict_report as report_readers
from vmci_tui.saving.new_file import write_new


class Files(NamedTuple):
    """The names of one crafted dump's files; None for an entry or a note that does not exist."""

    dump: str
    entry: str | None
    note: str | None
    manifest: str


def files(made: Crafted) -> dict[str, bytes]:
    """Return the bytes of each file by its name; the manifest is the last."""
    named = names(made)
    out = {named.dump: made.dump}
    if named.entry is not None and made.parts.history is not None:
        out[named.entry] = _entry(made.parts.history)
    if named.note is not None:
        out[named.note] = made.parts.note
    text = json.dumps(manifest(made), indent=1, ensure_ascii=True) + "\n"
    return out | {named.manifest: text.encode()}


def names(made: Crafted) -> Files:
    """Return the files' names. A blob has what the guest stored; other writes are written as JSON."""
    base, history = made.stem, made.parts.history
    suffix = "entry" if history is not None and history.origin == "blob" else "write.json"
    return Files(
        made.name,
        None if history is None else f"{base}.{suffix}",
        None if made.parts.absent else f"{base}.note",
        f"{base}.manifest.json",
    )


def _entry(history: EntryHistory) -> bytes:
    if history.origin == "blob":
        last = history.writes[-1].data if history.writes else None
        return history.raw if last is None else last
    rows = [
        {"offset": write.offset, "length": write.length, "bytes": None if write.data is None else write.data.hex()}
        for write in history.writes
    ]
    return ("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n").encode()


def manifest(made: Crafted) -> dict[str, Any]:
    """Return what was done, what `vmci check` finds, and what every reader says."""
    named, parts = names(made), made.parts
    beside = f" --blob {named.entry}" if named.entry else ""
    return {
        "version": __version__,
        "machine": parts.machine,
        "bits": parts.bits,
        "container": parts.container,
        "byte_order": parts.order,
        "defects": [{"code": item.code, "name": item.name, "does": item.does} for item in made.defects],
        "files": named._asdict(),
        "made_with": made.command,
        "check": f"vmci check {named.dump}{beside}",
        "findings": report.findings_json(made.findings),
        "readers": report_readers.readers_json(made.verdicts),
    }


def save(made: Crafted, folder: str) -> list[str]:
    """Write the files into a folder, which is created if needed; return their paths.

    Raises SaveError; if one of the files exists, none is written.
    """
    try:
        os.makedirs(folder, exist_ok=True)
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else "that is not a folder name"
        raise SaveError(f"cannot create {visible(folder)}: {words}", "name another folder") from None
    paths = {os.path.join(folder, name): data for name, data in files(made).items()}
    there = next((path for path in paths if os.path.lexists(path)), None)
    if there is not None:
        raise SaveError(f"{visible(there)} exists", "name another folder, or remove the file")
    for path, data in paths.items():
        write_new(path, data)
    return list(paths)
