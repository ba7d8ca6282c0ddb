"""Test raw images: with the text of /proc/iomem, and as `FILE@PADDR`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.dumps.factory import elf, note, ram
from tests.images.writers import utsname
from tests.proof.synthetic import Ram
from vmci_tui.cli import main
from vmci_tui.common.errors import OpenError
from vmci_tui.images.iomem import RamRange, ram_ranges
from vmci_tui.opening.open_file import open_document
from vmci_tui.opening.raw_names import joined_parts

IOMEM = """\
00000000-00000fff : Reserved
00001000-0009fbff : System RAM
000f0000-000fffff : Reserved
  000f0000-000fffff : System ROM
00100000-00103fff : System RAM
  00100000-00100fff : System RAM
fec00000-fec003ff : IOAPIC 0
{first:x}-{last:x} : System RAM
"""


class _Kernel(Ram):
    """A kernel with its note, as one range of memory."""

    def __init__(self) -> None:
        super().__init__()
        self.text = self.kernel(0x10000000)
        self.first, last = min(self.pages) * 4096, max(self.pages) * 4096
        empty = bytes(4096)
        self.data = b"".join(bytes(self.pages.get(at // 4096, empty)) for at in range(self.first, last + 4096, 4096))


@pytest.fixture(scope="module")
def kernel() -> _Kernel:
    return _Kernel()


@pytest.fixture
def ranges(kernel: _Kernel) -> list[tuple[int, bytes]]:
    return [
        (0x1000, ram(0x9EC00)),
        (0x100000, note(kernel.text.text).ljust(0x4000, b"\0")),
        (kernel.first, kernel.data),
    ]


@pytest.fixture
def raw(tmp_path: Path, kernel: _Kernel, ranges: list[tuple[int, bytes]]) -> list[str]:
    """Write an image and its map, and return the words that name them."""
    image, iomem = tmp_path / "ram.raw", tmp_path / "iomem"
    image.write_bytes(b"".join(data for _, data in ranges))
    iomem.write_text(IOMEM.format(first=kernel.first, last=kernel.first + len(kernel.data) - 1))
    return [str(image), "--map", str(iomem)]


@pytest.fixture
def parts(tmp_path: Path, ranges: list[tuple[int, bytes]]) -> list[str]:
    words = []
    for number, (paddr, data) in enumerate(ranges):
        path = tmp_path / f"DDR{number}.BIN"
        path.write_bytes(data)
        words.append(f"{path}@{paddr:x}")
    return words


def _json(capsys: pytest.CaptureFixture[str], *command: str) -> dict[str, Any]:
    capsys.readouterr()
    main([*command, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_map_says_where_each_part_of_the_image_is(
    raw: list[str], ranges: list[tuple[int, bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = _json(capsys, "show", *raw)
    assert shown["container"] == "raw" and shown["machine"] == "x86_64"
    assert [(item["paddr"], item["length"]) for item in shown["memory"]] == [(at, len(data)) for at, data in ranges]
    made = _json(capsys, "convert", *raw, "--dry-run")
    assert made["repair"]["proof"]["proved"] and made["witnessed"] == [2]


def test_parts_are_the_same_memory_as_the_whole_in_every_command(
    raw: list[str], parts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    whole, joined = _json(capsys, "show", *raw), _json(capsys, "show", *parts)
    assert whole["memory"] == joined["memory"]
    assert _json(capsys, "find", *raw)["candidates"] == _json(capsys, "find", *parts)["candidates"]
    assert main(["hex", *parts, "--paddr", "0x100000", "--len", "32"]) == 0
    assert main(["check", *parts]) == 1


def test_a_dump_of_parts_has_all_their_memory(
    parts: list[str], ranges: list[tuple[int, bytes]], tmp_path: Path
) -> None:
    out = tmp_path / "out.elf"
    assert main(["convert", *parts, "-o", str(out)]) == 0
    with open_document(str(out)) as document:
        assert document.dump is not None
        for paddr, data in ranges:
            assert document.dump.memory.read(document.source, paddr, len(data)) == data


def test_a_range_that_a_wrong_map_has_elsewhere_is_never_proved(
    raw: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    iomem = Path(raw[2])
    iomem.write_text(iomem.read_text().replace("00001000-0009fbff", "00002000-000a0bff"))
    made = _json(capsys, "convert", *raw, "--dry-run")
    assert made["repair"]["proof"]["proved"] and made["witnessed"] == [2], "where the kernel is the map is right"


def test_a_map_with_the_kernel_elsewhere_proves_nothing(
    raw: list[str], kernel: _Kernel, capsys: pytest.CaptureFixture[str]
) -> None:
    iomem = Path(raw[2])
    first, last = kernel.first + 4096, kernel.first + 4095 + len(kernel.data)
    iomem.write_text(IOMEM.format(first=first, last=last))
    made = _json(capsys, "convert", *raw, "--dry-run")
    assert made["witnessed"] == [] and made["repair"]["question"]


def test_parts_that_touch_are_two_ranges_of_which_one_is_proved(
    tmp_path: Path, kernel: _Kernel, capsys: pytest.CaptureFixture[str]
) -> None:
    """The user forgot a hole: the second file is not where its name says, and no witness is in it."""
    low, high = tmp_path / "low.bin", tmp_path / "high.bin"
    low.write_bytes(note(kernel.text.text).ljust(4096, b"\0") + kernel.data)
    high.write_bytes(ram(0x4000))
    end = kernel.first + len(kernel.data)
    made = _json(capsys, "convert", f"{low}@{kernel.first - 4096:x}", f"{high}@{end:x}", "--dry-run")
    assert made["repair"]["proof"]["proved"] and made["witnessed"] == [0]


@pytest.mark.parametrize("change", [("0009fbff", "0009fbfe"), ("00103fff", "00104fff")])
def test_a_map_of_another_size_is_an_error_and_never_a_shift(raw: list[str], change: tuple[str, str]) -> None:
    iomem = Path(raw[2])
    iomem.write_text(iomem.read_text().replace(*change))
    assert main(["show", *raw]) == 3


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\0" * 64,
        b"00000000-00000fff : Reserved\n",
        b"00000000-00000000 : System RAM\n00000000-00000000 : System RAM\n",
        b"00002000-00001000 : System RAM\n",
        b"00001000-00002fff : System RAM\n00002000-00003fff : System RAM\n",
    ],
)
def test_a_text_that_is_not_a_map_of_memory_is_an_error(text: bytes) -> None:
    with pytest.raises(OpenError):
        ram_ranges(text)


def test_a_map_is_read_in_any_order_and_with_any_line_ends() -> None:
    text = b"00100000-001fffff : System RAM\r\n00001000-0009fbff : System RAM\r\n"
    assert ram_ranges(text) == (RamRange(0x1000, 0x9FC00), RamRange(0x100000, 0x200000))


def test_a_file_of_that_literal_name_wins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").write_bytes(ram(4096))
    literal = tmp_path / "a@1000"
    literal.write_bytes(elf())
    assert _json(capsys, "show", str(literal))["container"] == "elf"
    literal.unlink()
    assert _json(capsys, "show", str(literal))["container"] == "raw"


def test_only_parts_one_after_the_other_are_joined(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    for path in (a, b):
        path.write_bytes(ram(4096))
    words = ["set", f"{a}@0", f"{b}@0x1000", "A=1", f"{a}@2000", "-o", "x@1000"]
    assert joined_parts(words) == ["set", f"{a}@0\0{b}@0x1000", "A=1", f"{a}@2000", "-o", "x@1000"]


def test_parts_that_overlap_and_dumps_and_empty_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two, dump, empty = (tmp_path / name for name in ("one", "two", "dump", "empty"))
    one.write_bytes(utsname() + ram(4096))
    two.write_bytes(ram(4096, 2))
    dump.write_bytes(elf())
    empty.touch()
    made = _json(capsys, "convert", f"{one}@0", f"{two}@800", "--dry-run")
    assert made["doubts"] and made["before"]
    for word in (f"{dump}@0", f"{empty}@0", f"{one}@ffffffffffffffff"):
        assert main(["show", word]) == 3
    assert main(["show", str(tmp_path / "missing@1000")]) == 3


@pytest.mark.parametrize("address", ["", "zz", "-1", "0x", "0x11112222333344445"])
def test_what_follows_the_file_is_an_address(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    part = tmp_path / "part"
    part.write_bytes(b"\0" * 4096)
    assert main(["show", f"{part}@{address}"]) == 3
    assert f"'{address}' is not an address" in capsys.readouterr().err


def test_what_is_not_a_regular_file_is_said_to_be_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", f"{tmp_path}@0"]) == 3
    assert "is a folder" in capsys.readouterr().err
