"""What other versions of drgn make of a file; each example was judged by the programs themselves."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.dumps.factory import Load, cpus, elf, note, ram
from tests.dumps.kdump_factory import flattened, kdump
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers import drgn, libkdumpfile
from vmci_tui.readers.file_view import View
from vmci_tui.readers.libdrgn.text import KEYS, SINCE
from vmci_tui.readers.rule import Reader, Verdict, judge

_ROOT = Path(__file__).parents[2]
_DATA = _ROOT / "tests" / "data" / "versions"
_TEXT = b"OSRELEASE=6.1.0\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)=ffffffff82610000\n"
_BOTH = pytest.mark.parametrize("reader", [drgn.READER, libkdumpfile.READER], ids=lambda reader: reader.name)


def dump(text: bytes = _TEXT, notes: bytes = b"") -> bytes:
    return elf((notes or cpus() + note(text),), (Load(0x1000, ram()),))


def at(version: str, data: bytes, reader: Reader[Any] = drgn.READER) -> Verdict:
    return judge(reader.at(version), View(BytesSource(data)))


def example(name: str) -> bytes:
    path = _DATA / f"{name}.gz"
    return gzip.decompress(path.read_bytes()) if path.exists() else (_ROOT / "sample_dumps" / name).read_bytes()


@_BOTH
@pytest.mark.parametrize(
    ("name", "before", "since", "words"),
    [
        ("x86_64-bad-phys-base.elf", "0.0.26", "0.0.27", "number in VMCOREINFO is invalid"),
        ("drgn-031-build-id-odd.elf", "0.0.30", "0.0.31", "couldn't parse BUILD-ID in VMCOREINFO"),
        ("drgn-031-build-id-dashes.elf", "0.0.30", "0.0.31", "couldn't parse BUILD-ID in VMCOREINFO"),
        ("drgn-033-section-size-bits.elf", "0.0.32", "0.0.33", "SECTION_SIZE_BITS in VMCOREINFO is invalid"),
        ("drgn-033-max-physmem-bits.elf", "0.0.32", "0.0.33", "MAX_PHYSMEM_BITS in VMCOREINFO is invalid"),
    ],
)
def test_a_key_counts_from_a_version_on(reader: Reader[Any], name: str, before: str, since: str, words: str) -> None:
    data = example(name)
    old, new = at(before, data, reader), at(since, data, reader)
    assert old.accepts and old.osrelease and old.osrelease.startswith("6.1.0")
    assert (new.accepts, new.osrelease, new.says) == (False, None, words)


@_BOTH
def test_flattened_files_are_read_from_0_0_25_on(reader: Reader[Any]) -> None:
    """By libkdumpfile, which reads ELF dumps in records from 0.5.5 (in drgn 0.0.31) on."""
    uts = {"sysname": b"Linux", "release": b"6.1.0", "version": b"#1", "machine": b"x86_64"}
    for data, before in ((kdump(notes=[note(_TEXT)], uts=uts), None), (dump(), "file #0: Unknown file format")):
        says = {version: at(version, flattened(data), reader) for version in ("0.0.23", "0.0.24", "0.0.25", "0.0.31")}
        assert says["0.0.23"].says == "not an ELF core file"
        assert "which drgn does not support" in says["0.0.24"].says
        assert says["0.0.25"].accepts if before is None else says["0.0.25"].says == before
        assert says["0.0.31"].accepts


def test_a_missing_note_has_other_words_before_0_0_33() -> None:
    data = dump(notes=note(bytes(336), b"CORE\0", 1))
    words = {at(version, data).says for version in ("0.0.22", "0.0.32")}
    assert (words, at("0.0.33", data).says) == ({"'VMCOREINFO'"}, "could not find 'VMCOREINFO'")
    assert len({at(version, dump(notes=cpus())).says for version in ("0.0.22", "0.3.0")}) == 1


def test_a_release_behind_a_nul_is_in_the_program_of_versions_that_print_no_text() -> None:
    data = dump(b"A=1\0\n" + _TEXT)
    assert (at("0.0.23", data).accepts, at("0.0.24", data).accepts) == (True, False)


@pytest.mark.parametrize("version", ["0.0.20", "0.0.26", "0.0.27", "0.0.28", "0.0.31", "0.0.33", "0.1.0", "0.3.0"])
@pytest.mark.parametrize("key", KEYS)
def test_a_fault_in_any_key_is_refused_where_it_is_known(key: bytes, version: str) -> None:
    """Each fault is below another one that no version knows, or below one that the version may know."""
    reader = drgn.READER.at(version)
    for above in (b"", b"KERNELOFFPHYS=x\n", b"BUILD-ID=x\r\n"):
        data = dump(above + _TEXT + key + b"=" + b"-" * 200 + b"\r\n")
        known = [each for each in (key, above.partition(b"=")[0]) if each and reader.uses(each)]
        strict = [each for each in known if each not in (b"CRASHTIME", b"CONFIG_ARM_LPAE")]
        found = at(version, data)
        assert found.accepts is not bool(strict)
        assert set(found.values()) <= {*known, *(line.partition(b"=")[0] for line in _TEXT.splitlines())}
        assert len({fired.rule.name for fired in found.fired}) == len(found.fired)


def test_versions_of_keys_are_those_of_keys() -> None:
    assert set(SINCE) <= set(KEYS)
