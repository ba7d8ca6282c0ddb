"""Make the samples whose `from` in samples.toml is "made", and the table in README.md.

Run it in a checkout, after `pip install -e .`: `python sample_dumps/make.py`. Every run
makes the same bytes. `--check` writes nothing and fails if a file differs.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vmci_tui.containers import LayoutRequest
from vmci_tui.document import edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.state import State
from vmci_tui.findings.judgement import Judgement
from vmci_tui.formats.elf_note import HEADER, NAME, Note, build, parse_raw
from vmci_tui.formats.fw_cfg_entry import RESET, Entry, Write
from vmci_tui.opening.open_file import open_document
from vmci_tui.readers.verdicts import READERS

HERE = Path(__file__).parent

GOOD = Entry(host_format=0, guest_format=1, size=4132, paddr=0x19C8000)
"""The entry that the driver of the guest in amd64-cut-*.elf wrote."""

HOSTILE = (
    b"OSRELEASE=6.1.0-\x1b[31mred\x1b[0m\n"
    b"TITLE=\x1b]0;owned\x07\x9b2J\x1b[2J\x1b[H\n"
    b"LINK=\x1b]8;;http://example.invalid\x1b\\here\x1b]8;;\x1b\\\n"
    b"PASTE=\x1b]52;c;cm0gLXJmIH4=\x07\n"
    b"MARKUP=[bold red]x[/] [@click=app.quit]click[/] [/foo]\n"
    b"BIDI=\xe2\x80\xaeexe.\xe2\x80\xac\xe2\x80\x8b\xef\xbb\xbf\n"
    b"SURROGATE=\xed\xa0\x80 \xff\xfe\n"
    b"PROMPT=\r\x08\x08\x08root@host:~# \x00\x7f\n"
    b"no equals sign in this line\n"
    b"LONG=" + b"A" * 5000 + b"\n"
    b"PAGESIZE=4096\n"
)


def main(arguments: Sequence[str]) -> int:
    check = "--check" in arguments
    stale = [name for name, data in made() if not _write(name, data, check)]
    if not _write("README.md", readme().encode(), check):
        stale.append("README.md")
    if check and stale:
        print("stale; run python sample_dumps/make.py: " + ", ".join(stale), file=sys.stderr)
        return 1
    return 0


def _write(name: str, data: bytes, check: bool) -> bool:
    """Write the file, unless `check`; return whether it already had these bytes."""
    path = HERE / name
    same = path.exists() and path.read_bytes() == data
    if not same and not check:
        path.write_bytes(data)
    return same


def made() -> Iterator[tuple[str, bytes]]:
    """Yield each file and its bytes."""
    yield from _notes()
    yield from _dumps()
    yield from _entries()
    yield from _writes()


def _notes() -> Iterator[tuple[str, bytes]]:
    yield "amd64.note", _in_memory("amd64-cut-nonote.elf", 0x19C8000).raw
    yield "ppc64el-little-endian.note", _in_memory("ppc64el-nonote.elf-win16k", 0x35A0000).raw
    yield "s390x.note", _in_memory("s390x-cut-nonote.elf", 0x1A6C000).raw
    yield "i386flash.note", _in_memory("i386flash-nonote.elf-win16k", 0x11FA000).raw
    yield "arm64.txt", _in_memory("arm64-cut-nonote.elf", 0x42730000).desc


def _in_memory(name: str, paddr: int) -> Note:
    """Return the note at a guest-physical address of a dump."""
    document = open_document(str(HERE / name))
    offset = document.layout.memory.offset_of(paddr)
    assert offset is not None
    note = parse_raw(document.read(offset, 16384))
    assert note is not None
    return note


def _dumps() -> Iterator[tuple[str, bytes]]:
    """Yield damaged copies of a real dump: each has one fault, in the layout that all readers accept."""
    document = open_document(str(HERE / "amd64-note.elf-win4k"))
    good = document.state
    assert good.vmcoreinfo is not None and good.note is not None
    text = good.vmcoreinfo.text
    release = good.vmcoreinfo.with_value(b"OSRELEASE", b"6.1.0-56-rescue").text
    other = build(NAME, 0, release, "little")
    narrow = _in_memory("i386flash-nonote.elf-win16k", 0x11FA000).desc
    cpus = good.notes[:-1]
    yield "hostile-text.elf", _dump(document, edit_text.set_text(good, HOSTILE))
    yield "duplicate-keys.elf", _dump(document, edit_text.set_text(good, text + b"OSRELEASE=6.1.0-56-rescue\n"))
    yield "crlf.elf", _dump(document, edit_text.set_text(good, text.replace(b"\n", b"\r\n")))
    yield "class-mismatch.elf", _dump(document, edit_text.set_text(good, narrow))
    yield "two-notes.elf", _dump(document, replace(good, notes=(*cpus, other, good.note)))
    yield "zero-note.elf", _dump(document, replace(good, notes=(*cpus, Note(bytes(HEADER), "little"))))


def _dump(document: Document, state: State) -> bytes:
    assert document.dump is not None
    image = document.dump.layout(LayoutRequest(state.notes)).image
    return image.read(document.source, 0, image.size)


def _entries() -> Iterator[tuple[str, bytes]]:
    good = GOOD.pack()
    yield "good.entry", good
    yield "never-written.entry", RESET
    yield "15-bytes.entry", good[:15]
    yield "17-bytes.entry", good + b"\0"
    yield "guest-format-0.entry", GOOD._replace(guest_format=0).pack()
    yield "guest-format-7.entry", GOOD._replace(guest_format=7).pack()
    yield "size-0.entry", GOOD._replace(size=0).pack()
    yield "size-11.entry", GOOD._replace(size=11).pack()
    yield "size-1MiB.entry", GOOD._replace(size=1 << 20).pack()
    yield "size-1MiB+1.entry", GOOD._replace(size=(1 << 20) + 1).pack()
    yield "big-endian.entry", good[1::-1] + good[3:1:-1] + good[7:3:-1] + good[:7:-1]


def _writes() -> Iterator[tuple[str, bytes]]:
    good, moved = GOOD.pack(), GOOD._replace(paddr=0x1A7E000).pack()
    off = GOOD._replace(guest_format=0).pack()
    yield "two-halves.write.json", _json(Write(0, 8, good[:8]), Write(8, 8, good[8:]))
    yield "full-then-partial.write.json", _json(Write(0, 16, good), Write(4, 4, good[4:8]))
    yield "past-byte-16.write.json", _json(Write(0, 16, good), Write(8, 16, moved))
    yield "full-off-full.write.json", _json(Write(0, 16, good), Write(0, 16, off), Write(0, 16, moved))
    yield "not-memory.write.json", _json(Write(0, 16, good), Write(0, 16, None))


def _json(*writes: Write) -> bytes:
    rows = [{"offset": w.offset, "length": w.length, "bytes": w.data.hex() if w.data else None} for w in writes]
    return ("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n").encode()


_GROUPS = (
    ("Dumps of booted guests", "guest", ""),
    ("Memory of booted guests that is not in a dump", "image", ""),
    ("Dumps made with a real QEMU whose guest runs nothing", "qemu", ""),
    ("Damaged dumps", "made", ".elf"),
    ("Entries", "made", ".entry"),
    ("Writes", "made", ".json"),
)


_MOST_FINDINGS = 4
_READERS = len(READERS)


def readme() -> str:
    """Return the page with the table of all samples and their findings."""
    rows = tomllib.loads((HERE / "samples.toml").read_text())["sample"]
    out = [_TOP]
    for title, origin, suffix in _GROUPS:
        out += [f"\n## {title}\n\n", "| file | story | `vmci check` says | refused by |\n|---|---|---|---|\n"]
        for row in rows:
            if row["from"] == origin and row["file"].endswith(suffix) and row.get("opens", True):
                out.append(_row(row))
    out += ["\n## Notes and texts, to append\n\n", "| file | story |\n|---|---|\n"]
    out += [f"| `{row['file']}` | {row['story']} |\n" for row in rows if not row.get("opens", True)]
    return "".join(out)


def _row(row: dict[str, Any]) -> str:
    blob = row.get("blob")
    document = open_document(str(HERE / row["file"]), str(HERE / blob) if blob else None)
    judged = Judgement.of(document).found
    found = [f"{f.code} {f.message}".replace("|", "\\|") for f in judged] or ["no findings"]
    says = "; ".join(found[:_MOST_FINDINGS])
    if len(found) > _MOST_FINDINGS:
        says += f"; and {len(found) - _MOST_FINDINGS} more"
    name = f"`{row['file']}`" + (f" with `{blob}`" if blob else "")
    refusing = row.get("refused_by", [])
    refused = "all" if len(refusing) == _READERS else ", ".join(refusing) or ("nobody" if document.dump else "")
    return f"| {name} | {row['story']} | {says} | {refused} |\n"


_TOP = """\
# Samples

Small files, one story each: the app's start screen offers them, and the tests use them.
`make.py` makes this page from `samples.toml` and the output of vmci.
"Refused by" lists the readers that refuse the file: crash 8.0.2 (an x86-64 build),
drgn 0.3.0, libkdumpfile (drgn with `DRGN_USE_LIBKDUMPFILE_FOR_ELF=1`), makedumpfile
1.7.2, readelf 2.40 and eu-readelf 0.188.

An `.entry` is a *blob*: the 16 bytes of fw_cfg `etc/vmcoreinfo`. A `.write.json` is a list
of the guest's writes to it. `vmci DUMP ENTRY` opens a dump with its entry.
"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
