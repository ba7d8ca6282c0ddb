"""Test that proof, log and readers say of a cut what they say of the whole, and that all else is left out."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from tests.paths import DATA, SAMPLES
from vmci_tui.cli.run import main
from vmci_tui.containers.guest import guest_of
from vmci_tui.kernel.facts.running_kernel import NotKnown, RunningKernel
from vmci_tui.kernel.lines.gather import running_kernel
from vmci_tui.kernel.lines.prove_lines import expected_of
from vmci_tui.opening.open_file import open_document

_DUMPS = ("amd64-cut-note.elf", "amd64-cut-nonote.elf", "arm64-cut-note.elf", "s390x-cut-note.elf", "amd64-panic.kdump",
          "i386-note.elf-win16k")  # fmt: skip
_SECRET = b"my private key: 0123456789abcdef"


def _cut(source: Path, out: Path, *options: str) -> bytes:
    assert main(["cut", str(source), "-o", str(out), *options]) == 0
    return out.read_bytes()


def _said(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return what is said of a dump, without offsets in the file."""
    capsys.readouterr()
    out: dict[str, Any] = {}
    main(["check", str(path), "--json"])
    readers = json.loads(capsys.readouterr().out)["readers"]
    out["readers"] = {name: (each["accepts"], each["reads"], each["osrelease"]) for name, each in readers.items()}
    main(["find", str(path), "--json"])
    found = json.loads(capsys.readouterr().out)["candidates"]
    out["note"] = [(each["paddr"], each["proved"], each["why"]) for each in found if each["proved"]]
    out["log"] = (main(["log", str(path)]), capsys.readouterr().out)
    main(["cpus", str(path)])
    out["cpus"] = capsys.readouterr().out
    return out


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", _DUMPS)
def test_all_that_is_said_of_the_whole_is_said_of_the_cut(
    name: str, masked: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = SAMPLES / name
    with open_document(str(whole)) as document:
        plain = document.container_title == "elf"
    if not plain:  # readers read another container otherwise: the cut is compared with the dump as ELF
        main(["convert", str(whole), "-o", str(tmp_path / "whole.elf")])
        whole = tmp_path / "whole.elf"
    data = _cut(whole, tmp_path / "cut.elf", *["--mask"] * masked)
    assert len(data) < 1 << 20
    assert _said(tmp_path / "cut.elf", capsys) == _said(whole, capsys)


@pytest.mark.parametrize(
    "options", [(), ("--mask",), ("--no-log",), ("--for", "makedumpfile"), ("--keep", "note")], ids=str
)
@pytest.mark.parametrize("name", _DUMPS)
def test_a_cut_of_a_cut_is_the_same_file(name: str, options: tuple[str, ...], tmp_path: Path) -> None:
    first = _cut(SAMPLES / name, tmp_path / "first.elf", *options)
    assert _cut(tmp_path / "first.elf", tmp_path / "again.elf", *options) == first


def test_what_nothing_reads_is_left_out_and_within_a_page_zeroed(
    tmp_path: Path,
) -> None:
    source, plain, masked = SAMPLES / "amd64-cut-note.elf", tmp_path / "plain.elf", tmp_path / "masked.elf"
    _cut(source, plain)
    _cut(source, masked, "--mask")
    with open_document(str(plain)) as one, open_document(str(masked)) as other, open_document(str(source)) as whole:
        assert one.dump and other.dump and whole.dump
        kept, memory = one.dump.memory, whole.dump.memory
        pages = [at for item in memory.ranges for at in range(item.paddr, item.end, 4096)]
        outside = next(at for at in pages if kept.range_at(at) is None)
        zeros = bytes(len(_SECRET))
        beside = next(  # bytes that are not zeros in the page that is kept, and masked
            at
            for page in pages
            if kept.range_at(page) is not None
            for at in range(page, page + 4096, 64)
            if other.dump.memory.read(other.dump.source, at, len(zeros)) == zeros
            and memory.read(whole.dump.source, at, len(zeros)) != zeros
        )
        offsets = [memory.offset_of(at) for at in (outside, beside)]
    data = bytearray(source.read_bytes())
    for number, offset in enumerate(offsets):
        assert offset is not None
        data[offset : offset + len(_SECRET)] = _SECRET[:-1] + b"%d" % number
    (tmp_path / "planted.elf").write_bytes(data)
    secrets = [_SECRET[:-1] + b"%d" % number for number in range(2)]
    cut = _cut(tmp_path / "planted.elf", tmp_path / "cut.elf")
    assert [secret in cut for secret in secrets] == [False, True]
    cut = _cut(tmp_path / "planted.elf", tmp_path / "cut-masked.elf", "--mask")
    assert [secret in cut for secret in secrets] == [False, False]


def test_the_text_that_stays_inside_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _cut(SAMPLES / "amd64-panic.kdump", tmp_path / "cut.elf", "--json")
    said = json.loads(capsys.readouterr().out)["cut"]
    assert any("Kernel panic" in text for text in said["kept_text"])
    assert set(said["by"]) == {"proof", "cpus", "log"}  # the note is not in this sample's memory
    assert said["bytes"] == said["pages"] * 4096
    _cut(SAMPLES / "amd64-panic.kdump", tmp_path / "without.elf", "--json", "--no-log")
    assert not any("Kernel panic" in text for text in json.loads(capsys.readouterr().out)["cut"]["kept_text"])


def test_the_page_for_a_ticket_names_both_files_and_the_text(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    _cut(SAMPLES / "amd64-panic.kdump", tmp_path / "cut.elf", "--report", str(page))
    text = page.read_text()
    assert "| the log |" in text and "| crash | accepts | accepts |" in text
    assert text.count("| sha256 |") == 1 and "amd64-panic.kdump" in text and "Kernel panic" in text


@pytest.mark.parametrize("options", [("--keep", "notes"), ("--for", "gdb7"), ("--keep", "")])
def test_unknown_names_are_refused_with_the_known_ones(
    options: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cut", str(SAMPLES / "crlf.elf"), "-o", str(tmp_path / "cut.elf"), *options]) == 2
    assert "the names are" in capsys.readouterr().err
    assert not (tmp_path / "cut.elf").exists()


def test_a_file_that_exists_stays(tmp_path: Path) -> None:
    out = tmp_path / "cut.elf"
    out.write_text("mine")
    assert main(["cut", str(SAMPLES / "crlf.elf"), "-o", str(out)]) != 0
    assert out.read_text() == "mine"


@pytest.mark.parametrize("keep", ["log", "cpus", "proof"])
def test_what_is_kept_can_be_read_again(keep: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dump without a note is read by the one in its memory, so that is kept with whatever is read by it."""
    _cut(SAMPLES / "amd64-cut-nonote.elf", tmp_path / "cut.elf", "--keep", keep)
    assert "No note" not in capsys.readouterr().out
    if keep == "log":
        assert main(["log", str(tmp_path / "cut.elf")]) == 0
        assert "Linux version" in capsys.readouterr().out


def test_with_symbols_and_types_every_line_is_proved_and_text_beside_the_tables_is_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = tmp_path / "whole.elf"
    whole.write_bytes(lzma.decompress((DATA / "kernels" / "amd64-61.elf.xz").read_bytes()))
    _cut(whole, tmp_path / "first.elf", "--keep", "types")
    with open_document(str(tmp_path / "first.elf")) as cut, open_document(str(whole)) as document:
        assert cut.dump and document.dump
        pages = [item.paddr for item in cut.dump.memory.ranges if item.length == 4096]
        zeros = bytes(256)
        holds = {page: cut.dump.memory.read(cut.dump.source, page, 4096).find(zeros) for page in pages}
        offsets = [
            at + inside
            for page, inside in holds.items()
            if inside >= 0 and (at := document.dump.memory.offset_of(page)) is not None
        ]
    data = bytearray(whole.read_bytes())
    secrets = [f"private text number {number} of many" for number in range(len(offsets))]
    for offset, secret in zip(offsets, secrets, strict=True):
        data[offset + 128 : offset + 128 + len(secret)] = secret.encode()
    whole.write_bytes(data)
    capsys.readouterr()
    written = _cut(whole, tmp_path / "cut.elf", "--keep", "types", "--json")
    listed = json.loads(capsys.readouterr().out)["cut"]["kept_text"]
    inside = [secret for secret in secrets if secret.encode() in written]
    assert inside and set(inside) <= set(listed) and len(listed) < 2000
    answers = [(main(["prove", str(path)]), capsys.readouterr().out) for path in (whole, tmp_path / "cut.elf")]
    assert answers[0] == answers[1] and "0 contradicted" in answers[0][1]
    _cut(tmp_path / "first.elf", tmp_path / "masked.elf", "--keep", "types", "--mask")
    asked = [b"SIZE(list_head)", b"SIZE(no_such_struct)", b"OFFSET(hlist_node.no_such_member)"]
    of_whole, of_cut = (_expected(tmp_path / name, asked) for name in ("whole.elf", "masked.elf"))
    # Its types are not sorted, and a type was looked for that it does not have: so the names of all types are kept.
    assert of_cut[:2] == of_whole[:2] == ["16", "the kernel's types have no type no_such_struct"]
    assert of_whole[2] == "the kernel's types have no member hlist_node.no_such_member"
    assert of_cut[2] == "the dump has only some names of the kernel's types, and not this one"


def _expected(path: Path, keys: list[bytes]) -> list[str]:
    """Return what the lines of some keys should be, or why that is not known."""
    with open_document(str(path)) as document:
        assert document.dump is not None
        kernel = running_kernel(guest_of(document.dump), None)
        assert isinstance(kernel, RunningKernel)
        found = list(map(expected_of(kernel), keys))
    return [one.why if isinstance(one, NotKnown) else str(one.value) for one in found]
