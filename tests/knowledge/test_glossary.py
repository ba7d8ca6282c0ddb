from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.paths import SAMPLES
from vmci_tui.knowledge import glossary
from vmci_tui.knowledge.glossary import explain, known_keys, nearest, search, terms

_BOOK = tomllib.loads((Path(glossary.__file__).parent / "glossary.toml").read_text("ascii"))
_MACHINES = {"x86_64", "i386", "aarch64", "arm", "s390x", "ppc64", "riscv64", "sh", "ia64"}
_READERS = {"qemu", "crash", "drgn", "libkdumpfile", "makedumpfile", "readelf", "eu-readelf"}
_FIELDS = {
    "what",
    "written",
    "base",
    "unit",
    "since",
    "gone_in",
    "machines",
    "when",
    "note",
    "see",
    "formula",
    "breaks",
}
_TEXT = re.compile(rb"OSRELEASE=\d[^\n]*\n(?:[ -~]+=[^\n\0]*\n)+")


def _keys_in(path: Path) -> set[bytes]:
    texts = _TEXT.findall(path.read_bytes())
    return {line.partition(b"=")[0] for text in texts for line in text.splitlines()}


def test_every_key_of_every_sample_is_described() -> None:
    # hostile-text.elf and the script that made it have keys that no kernel writes
    files = (path for path in SAMPLES.iterdir() if path.is_file() and path.suffix != ".py")
    found = {path.name: _keys_in(path) for path in files if "hostile" not in path.name}
    assert len(set().union(*found.values())) >= 140
    assert {name: keys - set(known_keys()) for name, keys in found.items() if keys - set(known_keys())} == {}


def test_every_field_of_the_file_is_used() -> None:
    assert set(_BOOK) == {"form", "group", "key", "term"}
    for form in _BOOK["form"].values():
        assert set(form) <= _FIELDS | {"shape"} and {"shape", "what", "written", "base", "unit"} <= set(form)
    for group in _BOOK["group"].values():
        assert set(group) <= (_FIELDS | {"keys"}) - {"what"}
    for key in _BOOK["key"].values():
        assert set(key) <= _FIELDS | {"group"} and "what" in key
        assert key.get("group", "page") in _BOOK["group"]


def test_no_key_is_described_twice_and_every_group_is_used() -> None:
    grouped = [key for group in _BOOK["group"].values() for key in group.get("keys", {})]
    assert len(set(grouped) | set(_BOOK["key"])) == len(grouped) + len(_BOOK["key"])
    used = {key["group"] for key in _BOOK["key"].values() if "group" in key}
    assert [name for name, group in _BOOK["group"].items() if name not in used and not group.get("keys")] == []


@pytest.mark.parametrize("key", known_keys(), ids=bytes.decode)
def test_entries_have_all_fields(key: bytes) -> None:
    entry = explain(key)
    assert entry is not None and entry.known
    assert entry.what.endswith(".") and not entry.what.endswith("..") and "  " not in entry.what
    assert entry.base in (0, 10, 16)
    assert (entry.base == 10) == entry.written.endswith(("d", "lu"))
    assert set(entry.machines) <= _MACHINES
    assert {machine for machine, _ in entry.formulas} <= _MACHINES | {"all"}
    assert {reader for reader, _ in entry.breaks} <= _READERS
    assert all(other.encode() in known_keys() and other != entry.key for other in entry.see)
    assert all(
        version is None or re.fullmatch(r"[2-7]\.\d+(\.\d+)?", version) for version in (entry.since, entry.gone_in)
    )
    if entry.since and entry.gone_in:
        assert [*map(int, entry.since.split("."))] < [*map(int, entry.gone_in.split("."))]


@pytest.mark.parametrize(
    ("key", "machine", "formula"),
    [
        (b"NUMBER(phys_base)", "x86_64", "va - 0xffffffff80000000 + phys_base"),
        (b"NUMBER(kimage_voffset)", "aarch64", "va - kimage_voffset"),
        (b"NUMBER(TCR_EL1_T1SZ)", "aarch64", "64 - TCR_EL1_T1SZ"),
        (b"NUMBER(va_kernel_pa_offset)", "riscv64", "va - va_kernel_pa_offset"),
        (b"KERNELOFFPHYS", "s390x", "va - KERNELOFFSET + KERNELOFFPHYS"),
        (b"KERNELOFFSET", "s390x", "va - KERNELOFFSET + KERNELOFFPHYS"),
        (b"KERNELOFFSET", "ppc64", "va - 0xc000000000000000"),
    ],
)
def test_formulas_by_which_addresses_are_translated(key: bytes, machine: str, formula: str) -> None:
    entry = explain(key)
    assert entry is not None and formula in dict(entry.formulas)[machine]


def test_a_key_is_used_before_its_group_and_its_form() -> None:
    start, end = explain(b"NUMBER(VMALLOC_START)"), explain(b"NUMBER(VMALLOC_END)")
    assert start is not None and end is not None
    assert start.written == "NUMBER(VMALLOC_START)=0x%lx" and start.base == 16
    assert start.machines == () and end.machines == ("aarch64", "riscv64")
    assert "vmalloc memory" in dict(start.breaks)["crash"] and "riscv64" in dict(end.breaks)["crash"]


@pytest.mark.parametrize(
    ("key", "what"),
    [
        (b"SYMBOL(jiffies)", "Virtual address of `jiffies`."),
        (b"OFFSET(task_struct.pid)", "Offset of the member `pid` in struct `task_struct`, in bytes."),
        (b"SIZE({0}\x1b[2J)", "Size of `{0}\\x1b[2J` in bytes."),
        (b"CONFIG_NUMA", "The kernel was configured with `CONFIG_NUMA`."),
        (b"SRCFILE(pte_t)", "Source file that declares `pte_t`."),
    ],
)
def test_a_key_without_a_description_has_its_form(key: bytes, what: str) -> None:
    entry = explain(key)
    assert entry is not None and not entry.known and entry.what == what
    assert entry.key.isprintable() and entry.key.isascii()


@pytest.mark.parametrize(
    "key", [b"", b"TITLE", b"SYMBOL()", b"SYMBOL(x", b"OFFSET(page)", b"CONFIG_", b"symbol(prb)", b"\xff"]
)
def test_an_unknown_key_has_no_description_but_near_names(key: bytes) -> None:
    assert explain(key) is None
    assert len(nearest(key)) <= 5


def test_nearest_and_search() -> None:
    assert nearest(b"phys_base")[0] == "NUMBER(phys_base)"
    assert "OSRELEASE" in nearest(b"OSRELAESE")
    assert "NUMBER(phys_base)" in nearest(b"NUMBER(physbase)")
    assert [item.entry.key for item in search("kimage")] == ["NUMBER(kimage_voffset)"]
    assert "KERNELOFFSET" in {item.entry.key for item in search("KASLR moved")}
    assert {"CONFIG_X86_PAE", "CONFIG_ARM_LPAE"} <= {item.entry.key for item in search("three levels")}
    assert search("") == search("xyzzy") == ()


def test_rare_words_are_explained_where_they_are_used() -> None:
    assert terms("moved by KASLR") == (("KASLR", "the kernel is moved to a random address at each boot"),)
    assert terms("nothing") == ()
    text = str({name: part for name, part in _BOOK.items() if name != "term"})
    assert all(word in text for word in _BOOK["term"])


def test_corrected_descriptions_agree_with_the_sources() -> None:
    """Compared with crash 9.0.2, makedumpfile 1.7.9, drgn 0.3.0 and libkdumpfile 0.5.5."""
    name = explain(b"OFFSET(uts_namespace.name)")
    assert (
        name is not None
        and "4 up to Linux 5.10" in (name.note or "")
        and "assumes 4" in dict(name.breaks)["makedumpfile"]
    )
    bits = explain(b"NUMBER(TCR_EL1_T1SZ)")
    assert bits is not None and {"crash", "drgn", "libkdumpfile", "makedumpfile"} == set(dict(bits.breaks))
    assert all("uses VA_BITS" in words for _, words in bits.breaks)
    info = explain(b"OFFSET(page.compound_info)")
    assert info is not None and "later ones use it as compound_head" in dict(info.breaks)["makedumpfile"]
    vmemmap = explain(b"SYMBOL(vmemmap)")
    assert vmemmap is not None and "before 8.0.5 always" in dict(vmemmap.breaks)["crash"]
