"""Test the text output; tests/cli/test_json.py tests the JSON."""

from __future__ import annotations

import json

from tests.dumps.factory import Load, cpus, elf, note, ram
from tests.kit import full_write, opened
from vmci_tui.common.safe_text import Safe
from vmci_tui.document import edit_text
from vmci_tui.document.document import entry_document
from vmci_tui.document.edit import Edit
from vmci_tui.findings.judgement import Judgement
from vmci_tui.formats.fw_cfg_entry import Entry, EntryHistory, Write
from vmci_tui.layers.file import BytesSource
from vmci_tui.render import dump_report as report
from vmci_tui.render.finding_report import findings_text
from vmci_tui.saving.plan import plan_copy

_GOOD = Entry(0, 1, 4132, 0x1000).pack()


def test_a_dump_in_text_names_its_parts_in_order() -> None:
    loads = [Load(n << 20, ram(64)) for n in range(12)]
    document = opened(elf((cpus() + note(),), loads))
    lines = list(report.show_text(document, with_keys=True))
    assert lines[1] == f"test.elf: {len(elf((cpus() + note(),), loads))} bytes, ELF, 64-bit little-endian, x86_64"
    heads = [line for line in lines[1:] if line and not line.startswith(" ")]
    assert [head.split()[0].rstrip(":") for head in heads] == ["test.elf", "entry", "notes", "memory", "vmcoreinfo"]
    assert "  and 4 more" in lines and "  PAGESIZE=4096" in lines
    *without, last = report.show_text(document)
    assert without == lines[: len(without)] and last == "vmcoreinfo: 9 keys; `vmci show FILE --keys` prints them"


def test_an_entry_in_text_lists_each_write() -> None:
    history = EntryHistory("writes", (full_write(_GOOD), Write(4, 4, bytes(4)), Write(9, 9, bytes(9))))
    text = "\n".join(report.show_text(entry_document(Safe("w"), history, BytesSource(history.raw))))
    assert "write 1: present" in text and "write 2: not present" in text and "write 3: DMA error" in text
    never = EntryHistory("writes")
    assert "never written" in "\n".join(report.show_text(entry_document(Safe("w"), never, BytesSource(never.raw))))


def test_hostile_bytes_are_escaped_everywhere() -> None:
    document = opened(elf((note(b"A\x1b=\x1b[2J\xff\n\x07\nPAGESIZE=\x1b\n", b"VMCOREINFO\0\x1b"),)))
    plan = plan_copy(document)
    lines = [
        *report.show_text(document, with_keys=True),
        *findings_text(Judgement.of(document).found),
        *report.plan_text(plan, document.source),
    ]
    lines += [json.dumps(report.show_json(document)), json.dumps(report.findings_json(Judgement.of(document).found))]
    assert all(line.isascii() and line.isprintable() for line in lines)


def test_offsets_are_those_of_the_layout_after_an_edit() -> None:
    document = opened(elf((cpus() + note(),), qemu=True))
    document.edit(Edit.of(edit_text.set_text, b"OSRELEASE=6\n" + b"A=1\n" * 2000))
    shown = report.show_json(document)
    for key in shown["vmcoreinfo"]["keys"]:
        line = document.read(key["offset"], key["length"])
        assert line == f"{key['key']}={key['value']}".encode()
    for item in shown["memory"]:
        assert document.read(item["offset"], item["length"]) == ram()


def test_an_empty_part_is_named() -> None:
    assert list(findings_text(())) == ["no findings"]
    orderly = opened(elf((cpus() + note(),)))
    assert "nothing to change" in next(report.plan_text(plan_copy(orderly), orderly.source))
