"""Test the fault bench: each code can be made alone, and the good guests have no findings."""

from __future__ import annotations

import json
import random
import struct
import zlib
from pathlib import Path

import pytest

from tests.opened_files import open_document
from vmci_tui.bench import DEFECTS, MACHINES, Crafted, Defect, always, attempt, chosen, craft
from vmci_tui.bench.guests import guest
from vmci_tui.bench.manifest import files, manifest, names, save
from vmci_tui.common.errors import SaveError, UsageError, VmciError
from vmci_tui.document.document import Document
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.findings.judgement import Judgement

_LIMIT = {"elf": 20 << 10, "kdump": 40 << 10, "flattened": 40 << 10}
_TWO_KERNELS = 2 * 4096
_ALL = {item.name: item for item in DEFECTS}


_WHOLE_KERNEL = {"M13"}
"""Findings that take the symbols and types of a whole kernel in memory, which no dump of the bench has."""


def test_every_code_has_a_defect_and_every_defect_a_code() -> None:
    assert {item.code for item in DEFECTS} == set(catalogue()) - _WHOLE_KERNEL
    assert len(_ALL) == len(DEFECTS)
    for item in DEFECTS:
        assert len(item.does) < 90 and item.does.isascii() and item.does.isprintable(), item
        assert set(item.beside) <= set(catalogue()) and item.code not in item.beside
        assert set(item.machines) <= set(MACHINES)


@pytest.mark.parametrize("name", _ALL)
def test_each_defect_alone_gives_exactly_its_finding(name: str) -> None:
    """Each defect gives its finding, those that this guest always has, and those that necessarily follow from it."""
    item = _ALL[name]
    made = craft((item,))
    assert made.parts.machine == item.machines[0]
    assert set(made.codes) == {item.code, *item.beside} | always(item.machines[0], made.parts.container)
    assert len(made.dump) < _limit(made)


@pytest.mark.parametrize("name", _ALL)
def test_each_defect_shows_on_every_machine_that_it_names(name: str) -> None:
    for machine in _ALL[name].machines:
        made = craft((_ALL[name],), machine)
        assert _ALL[name].code in made.codes and len(made.dump) < _limit(made)


def _limit(made: Crafted) -> int:
    return _LIMIT[made.parts.container] + _TWO_KERNELS * ("M08" in made.codes)


@pytest.mark.parametrize("machine", MACHINES)
def test_good_guests_are_proved_and_accepted(machine: str) -> None:
    made = craft((), machine)
    proof = made.judgement.proof
    assert proof is not None and proof.proved is True
    assert always(machine) <= {"C12", "C14"}
    for name, verdict in made.verdicts.items():
        built_for_another = machine != "x86_64" and name in ("crash", "makedumpfile")
        assert verdict.accepts or built_for_another or (name == "qemu" and made.parts.entry is None), name
    if machine == "x86_64":
        assert not made.findings and all(verdict.accepts for verdict in made.verdicts.values())


def test_the_headers_follow_the_elf_format() -> None:
    """Read by struct alone."""
    data = craft(()).dump
    assert data[:7] == b"\x7fELF\x02\x01\x01"
    assert struct.unpack_from("<HHIQQQIHHHHHH", data, 16) == (4, 62, 1, 0, 64, 0, 0, 64, 56, 4, 0, 0, 0)
    first = struct.unpack_from("<IIQQQQQQ", data, 64)
    assert first[0] == 4 and first[2] == 64 + 4 * 56
    assert struct.unpack_from("<III", data, first[2] + first[5] - 3288) == (11, 3263, 0)


def test_the_kdump_headers_follow_the_format() -> None:
    """Read by struct and zlib alone, of the plain form; the flattened one holds the same bytes."""
    made = craft(chosen(["version-7"]))
    data, parts, text = made.dump, made.parts, made.document.state.vmcoreinfo
    assert text is not None
    assert data[:8] == b"KDUMP   " and struct.unpack_from("<i", data, 8) == (7,)
    assert [data[12 + 65 * n :].split(b"\0", 1)[0] for n in range(6)] == [
        b"Linux", b"guest", text.osrelease, b"#1 SMP Debian", b"x86_64", b"(none)"
    ]  # fmt: skip
    status, block, blocks, bitmap, mapnr = struct.unpack_from("<IIIII", data, 424)
    assert (status, block, blocks, bitmap) == (1, 4096, 2, 2)
    text, length, notes, size, _, _, _, _, mapnr_64 = struct.unpack_from("<9Q", data, 4096 + 32)
    assert data[text : text + length] == parts.text and mapnr_64 == mapnr
    assert data[notes : notes + size] == b"".join(parts.cpus) + parts.note
    first, second = (data[(1 + blocks + n) * block :][:block] for n in (0, 1))
    held = [8 * at + bit for at, byte in enumerate(second) for bit in range(8) if byte >> bit & 1]
    assert first == second and held[-1] == mapnr - 1
    memory = {}
    for index, pfn in enumerate(held):
        at, length, flags, _ = struct.unpack_from("<QIIQ", data, (1 + blocks + bitmap) * block + 24 * index)
        assert flags == 1
        memory[pfn] = zlib.decompress(data[at : at + length])
    assert memory[parts.uts // block] == parts.memory(parts.uts)
    assert memory[parts.tables // block] == parts.memory(parts.tables)
    home = memory[parts.home // block] + memory[parts.home // block + 1]
    assert home.startswith(parts.note) and len(held) == 4

    flat = craft(chosen(["version-7", "C21"])).dump
    assert flat[:32] == b"makedumpfile".ljust(16, b"\0") + struct.pack(">qq", 1, 1)
    plain, at = bytearray(len(data)), 4096
    while (head := struct.unpack_from(">qq", flat, at)) != (-1, -1):
        plain[head[0] : head[0] + head[1]] = flat[at + 16 : at + 16 + head[1]]
        at += 16 + head[1]
    assert plain == data and at + 16 == len(flat)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("container", ["kdump", "flattened"])
def test_a_good_kdump_has_no_finding_of_its_own(machine: str, container: str) -> None:
    """Verdicts of readers built for another machine, or for other files, do not count."""
    told = always(machine, container)
    assert told <= {"C12", "C14", "C17", "C21", "C23"} and ("C21" in told) is (container == "flattened")


def test_crafting_is_repeatable_and_does_not_change_the_guest() -> None:
    before = guest("x86_64")
    first = craft(DEFECTS[:1])
    assert craft(DEFECTS[:1]).dump == first.dump and guest("x86_64") == before


def test_codes_and_names_are_accepted() -> None:
    assert [item.name for item in chosen(["E01", "e01", "15-bytes", "T05"])] == ["two-halves", "15-bytes", "long-line"]
    assert chosen([" t05 "]) == (_ALL["long-line"],)
    for bad in ("", "X99", "\x1b[31m"):
        with pytest.raises(UsageError) as error:
            chosen([bad])
        assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("words", "machine", "says"),
    [
        (["E05", "E06"], None, "E05 size-11 does not show beside E06 size-over-1-mib"),
        (["T05", "T10"], None, "T05 long-line does not show beside T10 empty"),
        (["N09", "N01"], None, "N09 type-1 does not show beside N01 no-note"),
        (["C14", "T16"], None, "T16 phys-base can only be made on x86_64"),
        (["C19", "C04"], None, "C04 e-type does not show beside C19 no-utsname"),
        (["C14"], "x86_64", "C14 byte-order cannot be made on x86_64"),
        ([], "vax", "no guest of vax can be made"),
    ],
)
def test_an_impossible_combination_is_reported_in_one_line(words: list[str], machine: str | None, says: str) -> None:
    with pytest.raises(UsageError) as error:
        craft(chosen(words), machine)
    assert error.value.message == says and error.value.hint


def test_several_defects_show_together() -> None:
    made = craft(chosen(["E05", "N09", "T05", "C04", "M02"]))
    assert set(made.codes) == {"E05", "N09", "T05", "C04", "M02"} and not made.hidden


@pytest.mark.parametrize("seed", range(60))
def test_any_set_of_defects_is_made_or_refused_with_a_reason(seed: int) -> None:
    dice = random.Random(seed)
    machine = dice.choice(MACHINES)
    mine = [item for item in DEFECTS if machine in item.machines]
    some = dice.sample(mine, dice.randint(2, 7))
    try:
        made = attempt(some, machine)
    except VmciError as error:
        assert str(error).isprintable()
        return
    shown = [item for item in some if item not in made.hidden]
    assert {item.code for item in shown} <= set(made.codes)
    if made.hidden:
        with pytest.raises(VmciError, match="does not show"):
            craft(some, machine)
    else:
        assert craft(some, machine).dump == made.dump


def _opened(folder: Path, made_names: tuple[str, str | None]) -> Document:
    dump, entry = made_names
    return open_document(str(folder / dump), None if entry is None else str(folder / entry))


@pytest.mark.parametrize("name", _ALL)
def test_the_saved_files_are_those_of_the_manifest(name: str, tmp_path: Path) -> None:
    made = craft((_ALL[name],))
    save(made, str(tmp_path / "new"))
    told = json.loads((tmp_path / "new" / names(made).manifest).read_text())
    document = _opened(tmp_path / "new", (told["files"]["dump"], told["files"]["entry"]))
    assert [(f["code"], f["message"]) for f in told["findings"]] == [
        (f.code, f.message) for f in Judgement.of(document).found
    ]
    assert told["defects"] == [{"code": made.defects[0].code, "name": name, "does": made.defects[0].does}]
    assert {key: value["accepts"] for key, value in told["readers"].items()} == {
        key: value.accepts for key, value in made.verdicts.items()
    }
    if told["files"]["note"] is not None:
        assert (tmp_path / "new" / told["files"]["note"]).read_bytes() == made.parts.note


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    made = craft(chosen(["E05"]))
    paths = save(made, str(tmp_path))
    assert sorted(Path(path).name for path in paths) == ["E05.elf", "E05.entry", "E05.manifest.json", "E05.note"]
    Path(paths[0]).write_bytes(b"mine")
    Path(paths[1]).unlink()
    with pytest.raises(SaveError, match="exists"):
        save(made, str(tmp_path))
    assert Path(paths[0]).read_bytes() == b"mine" and not Path(paths[1]).exists()
    for bad in (str(tmp_path / "E05.elf"), "\0"):
        with pytest.raises(SaveError):
            save(made, bad)


def test_file_names_hold_the_codes() -> None:
    assert craft(()).stem == "good" and craft((), "i386").stem == "good-i386"
    assert craft(chosen(["E05", "T05"])).stem == "T05-E05"
    assert [craft(chosen([code])).name for code in ("E05", "C19", "C24")] == ["E05.elf", "C19.kdump", "C24.flat"]
    many = chosen(["T01", "T03", "T05", "T08", "T13", "N03", "C04", "E04", "M02"])
    assert craft(many).stem.endswith("-and-1")


def test_writes_are_saved_as_json_and_blobs_byte_for_byte() -> None:
    assert files(craft(chosen(["15-bytes"])))["E01.entry"] == craft(()).parts.packed[:15]
    assert files(craft(chosen(["17-bytes"])))["E09.entry"] == craft(()).parts.packed + b"\0"
    writes = json.loads(files(craft(chosen(["not-memory"])))["E09.write.json"])
    assert [(row["offset"], row["length"]) for row in writes] == [(0, 16), (0, 16)] and writes[1]["bytes"] is None
    assert manifest(craft(chosen(["N01"])))["files"] == {
        "dump": "N01.elf", "entry": None, "note": None, "manifest": "N01.manifest.json"
    }  # fmt: skip


def test_a_defect_describes_itself() -> None:
    item: Defect = _ALL["size-11"]
    assert (item.code, item.does) == ("E05", "sets size to 11")


@pytest.mark.parametrize(("words", "machine"), [("", None), ("E05,15-bytes", None), ("T05", "i386"), ("C14", None)])
def test_the_command_makes_the_same_files(words: str, machine: str | None) -> None:
    made = craft(chosen(words.split(",") if words else []), machine)
    said = made.command.split()[2:]
    named = dict(zip(said[::2], said[1::2], strict=True))
    again = craft(chosen(named["--defect"].split(",") if words else []), named.get("--machine"))
    assert again.dump == made.dump and again.parts == made.parts
