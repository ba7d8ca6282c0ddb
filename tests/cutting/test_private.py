"""Test that private texts beside what is read do not come into a masked cut: on stacks, in registers, in the log."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from tests.kernel.notes import prstatus
from tests.kernel.symbols.kallsyms_writer import Kernel, paged, symbols, write
from tests.paths import SAMPLES
from tests.proof.synthetic import Ram
from vmci_tui.adoption.text_to_read import text_to_read
from vmci_tui.cli.run import main
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import guest_of
from vmci_tui.cutting.log_text import without_log
from vmci_tui.cutting.masked import masked_note
from vmci_tui.cutting.stack_words import reader_of_words
from vmci_tui.formats.elf_note import build
from vmci_tui.kernel.cpus.cpu import cpus_of
from vmci_tui.kernel.log.read_log import read_log
from vmci_tui.kernel.symbols.read_symbols import read_symbols
from vmci_tui.opening.open_file import open_document

_KERNEL = Kernel(form="per-cpu", paddr=0x2200000, base=0xFFFFFFFF81100000)
_SP = 0xFFFFC90000003F40
_PRIVATE = "пароль: my private key 42".encode().ljust(40, b"!")


def test_of_a_stack_only_addresses_are_read() -> None:
    ram = Ram()
    write(ram, _KERNEL, symbols(_KERNEL))
    notes = paged(ram, _KERNEL)
    table = read_symbols(ram.guest()._replace(notes=notes))[0].table
    code, task = struct.pack("<Q", _KERNEL.base + 64 * 3 + 5), struct.pack("<Q", 0xFFFF888004C3A940)
    stack = (code + _PRIVATE + task + struct.pack("<QQ", 42, 0xFFFF888004C3A941)).ljust(0xC0, b"x")
    (cpu,) = cpus_of((prstatus("x86_64", rip=_KERNEL.base, rsp=_SP),), "x86_64")
    asked: list[tuple[int, int]] = []

    def plain(at: int, length: int) -> bytes | None:
        return stack[at - _SP : at - _SP + length] if at - _SP < len(stack) else bytes(length)

    def recorded(at: int, length: int) -> bytes | None:
        asked.append((at - _SP, length))
        return plain(at, length)

    read = reader_of_words(cpu, recorded, plain, table)
    assert read(_SP, 0xC0) == (code + bytes(40) + task).ljust(0xC0, b"\0")
    assert asked == [(0, 8), (48, 8)]
    assert read(_SP + 0xC0, 4096) == bytes(4096) and asked[-1] == (0xC0, 1), "a page without addresses is not lacking"
    assert read(_SP + 8, 40) == _PRIVATE, "what is not a whole page of a stack is read as it is"


@pytest.mark.parametrize(
    ("name", "kind", "kept"),
    [
        (b"CORE\0", 1, True),
        (b"QEMU\0", 0, True),
        (b"VMCOREINFO\0", 0, True),
        (b"LINUX\0", 0x304, True),
        (b"CORE\0", 2, False),
        (b"LINUX\0", 0x30A, False),
        (b"LINUX\0", 0x700, False),
        (b"ERASEINFO\0", 0, False),
    ],
)
def test_notes_that_nothing_reads_are_zeros(name: bytes, kind: int, kept: bool) -> None:
    note = build(name, kind, _PRIVATE, "little")
    masked = masked_note(note)
    assert (masked.desc == _PRIVATE) == kept and masked.raw[: note.desc_start] == note.raw[: note.desc_start]
    assert kept or masked == build(name, kind, bytes(len(_PRIVATE)), "little")


def test_texts_in_registers_are_listed_and_zeros_in_a_masked_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "whole.elf"
    data = (SAMPLES / "arm64-cut-note.elf").read_bytes()
    vectors = data.index(struct.pack("<III4s", 5, 528, 2, b"CORE")) + 20
    source.write_bytes(data[:vectors] + _PRIVATE + data[vectors + len(_PRIVATE) :])
    for options, inside in (((), True), (("--mask",), False)):
        out = tmp_path / f"cut{len(options)}.elf"
        capsys.readouterr()
        assert main(["cut", str(source), "-o", str(out), "--json", *options]) == 0
        listed = json.loads(capsys.readouterr().out)["cut"]["kept_text"]
        assert (_PRIVATE in out.read_bytes()) == inside
        assert any("my private key" in text for text in listed) == inside


@pytest.mark.parametrize(
    ("name", "keep"), [("amd64-cut-note.elf", "note,proof,cpus,log"), ("amd64-tiny.kdump", "types")]
)
def test_without_the_log_no_text_of_it_is_kept(name: str, keep: str, tmp_path: Path) -> None:
    out = tmp_path / "cut.elf"
    assert main(["cut", str(SAMPLES / name), "-o", str(out), "--no-log", "--keep", keep]) == 0
    assert b"Command line: " not in out.read_bytes()


def test_the_log_is_zeros_for_all_that_read_memory() -> None:
    with open_document(str(SAMPLES / "amd64-tiny.kdump")) as document:
        assert document.dump is not None
        guest = guest_of(document.dump)
        text = text_to_read(document.state.vmcoreinfo, guest, no_progress).text
        assert text is not None
        log, words = read_log(text, guest), b"Command line: "
        assert any(record.text.startswith(words) for record in log.records)
        left = read_log(text, guest._replace(source=without_log(guest, text, None)))
    assert left.records == ()


def test_an_empty_cut_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cut", str(SAMPLES / "x86_64-windows.elf"), "-o", str(tmp_path / "cut.elf")]) == 2
    assert "no kernel was found in it; `vmci convert`" in capsys.readouterr().err
    assert not (tmp_path / "cut.elf").exists()


def test_a_log_that_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", str(SAMPLES / "arm64-cut-note.elf")]) == 3
    capsys.readouterr()
    assert main(["cut", str(SAMPLES / "arm64-cut-note.elf"), "-o", str(tmp_path / "cut.elf"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["remarks"] == ["The kernel's log could not be read: none is kept."]
