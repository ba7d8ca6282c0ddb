"""makedumpfile's rules, with one or two dumps for each; tests/real compares them with the program."""

from __future__ import annotations

import struct

import pytest

from tests.dumps.factory import TEXT_64, Load, cpus, elf, note, ram
from tests.dumps.kdump_files import kdump
from tests.paths import DATA
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers.file_view import View
from vmci_tui.readers.makedumpfile import READER
from vmci_tui.readers.makedumpfile.text import MakedumpfileText, lines
from vmci_tui.readers.rule import Verdict, judge
from vmci_tui.readers.version import numbers_of

_SHORT = b"OSRELEASE=6.1.0\nPAGESIZE=4096\n"


def _judge(data: bytes) -> Verdict:
    return judge(READER, View(BytesSource(data)))


def _text(text: bytes) -> Verdict:
    return _judge(elf([cpus() + note(text)]))


def _refused(data: bytes) -> tuple[str, str | None, str]:
    """(rule, stage, words) of a refusal."""
    verdict = _judge(data)
    assert verdict.accepts is False
    return next(f.rule.name for f in verdict.fired if f.rule.refuses), verdict.stage, verdict.says


def test_a_good_dump_is_taken() -> None:
    verdict = _judge(elf([cpus(2) + note()]))
    assert (verdict.accepts, verdict.stage, verdict.osrelease) == (True, None, "6.1.0-test")
    assert verdict.text == TEXT_64
    assert verdict.note is not None and verdict.note.length == 24 + len(TEXT_64)


@pytest.mark.parametrize(
    "damage",
    [
        {"machine": 0}, {"version": 9}, {"type": 0}, {"phentsize": 0}, {"ehsize": 8}, {"phoff": 9999},
        {"p_align": 8}, {"p_align": 4096}, {"notes_behind": True}, {"note_first": False},
    ],
)  # fmt: skip
def test_what_it_does_not_look_at(damage: dict[str, int]) -> None:
    assert _judge(elf([cpus() + note() + bytes(12)], **damage)).accepts  # type: ignore[arg-type]


def _patched(at: int, new: bytes, data: bytes | None = None) -> bytes:
    data = elf([cpus() + note()]) if data is None else data
    return data[:at] + new + data[at + len(new) :]


_NO_LOADS = "get_elf_info: Can't get the number of PT_LOAD."


@pytest.mark.parametrize(
    ("data", "rule", "stage", "words"),
    [
        (elf([cpus() + note()], qemu=True), "headers-elsewhere", "before", _NO_LOADS),
        (elf([note()], order="big", phnum=1 << 8), "other-byte-order", "before", _NO_LOADS),
        (elf([note()], phnum=0), "no-headers", "before", _NO_LOADS),
        (elf([note()], []), "no-memory", "before", _NO_LOADS),
        (elf([note()], phnum=60000), "more-headers-than-file", "before",
         "get_elf64_phdr: Can't read FILE. No such file or directory"),
        (elf([]), "no-note-header", "note", "get_elf_info: Can't find PT_NOTE Phdr."),
        (elf([note()])[:63], "too-short", "before", "check_elf_format: Can't read FILE. No such file or directory"),
        (_patched(4, b"\3"), "unknown-class", "before", "check_elf_format: Can't get valid ehdr."),
        (elf([note()], phnum=0xFFFF, shoff=1 << 40, shentsize=64), "section-0-unreadable", "before",
         "get_elf64_phnum: Can't read FILE at 0x10000000000. No such file or directory"),
        (elf([note()], phnum=0xFFFF, shoff=64, shentsize=99), "section-0-too-long", "before",
         "*** stack smashing detected ***: terminated"),
        (b"makedumpfile\0\0\0\0" + bytes(9000), "flattened", "before", "check_elf_format: Can't get valid ehdr."),
        (b"KDUMP   " + bytes(9000), "header-version", "before",
         "get_kdump_compressed_header_info: header does not have dump_level member"),
        (_patched(4096, b"sadump\0\0"), "sadump-signature", "before", "sadump: invalid magic number"),
    ],
)  # fmt: skip
def test_heads_that_it_refuses(data: bytes, rule: str, stage: str, words: str) -> None:
    assert _refused(data) == (rule, stage, words)


_NO_LOG = "dump_dmesg: Can't find some symbols for log_buf."
_XEN = note(bytes(40), b"Xen\0", 0x1000001)


@pytest.mark.parametrize(
    ("notes", "rule", "words"),
    [
        ([cpus()], "no-note", _NO_LOG),
        ([note(kind=1)], "note-type", _NO_LOG),
        ([note(name=b"VMCOREINFO\0" + bytes(5))], "note-name", _NO_LOG),
        ([note(namesz=0)], "note-name", _NO_LOG),
        ([note(name=b"VMCOREINFOX")], "note-name", _NO_LOG),
        ([note(name=b"VMCOREINFO_XEN\0")], "no-note", _NO_LOG),
        ([note(order="big")], "note-byte-order", _NO_LOG),
        ([bytes(8) + note()], "note-out-of-step", _NO_LOG),
        ([note(), note(b"")], "empty-text", _NO_LOG),
        ([note(), cpus()], "note-in-another-area", _NO_LOG),
        ([bytes(8) + note(namesz=99)], "note-header-broken", _NO_LOG),
        ([note(descsz=1 << 20)], "text-cut-off",
         "copy_vmcoreinfo: Can't read the dump memory(FILE). No such file or directory"),
        ([note(descsz=1 << 31)], "text-cut-off",
         "copy_vmcoreinfo: Can't allocate buffer for vmcoreinfo. Cannot allocate memory"),
        ([_XEN + note()], "xen-note-broken", "init_xen_crash_info: Xen crash info too small (40 bytes)."),
    ],
)  # fmt: skip
def test_notes_that_it_loses(notes: list[bytes], rule: str, words: str) -> None:
    assert _refused(elf(notes)) == (rule, "note", words)


def test_without_memory_it_fails_earlier() -> None:
    data = elf([cpus()], [Load(0, b"", 0)])
    assert _refused(data)[2] == "calculate_cyclic_buffer_size: Invalid max_mapnr(0)."


def test_notes_that_lead_out_of_the_file() -> None:
    words = "get_pt_note_info: Can't read the dump memory(FILE). No such file or directory"
    behind = elf([note() + note(b"", b"X\0")], notes_behind=True)
    assert _refused(behind) == ("notes-lead-out-of-the-file", "note", words)
    filesz = _patched(64 + 32, struct.pack("<Q", 1 << 30))
    assert _refused(filesz) == ("notes-cut-off", "note", words)
    far = _patched(64 + 8, struct.pack("<Q", 1 << 60))
    assert _refused(far)[2] == "get_pt_note_info: Can't seek the dump memory(FILE). Invalid argument"


@pytest.mark.parametrize(
    "notes",
    [
        [note(name=b"VMCOREINFO")], [bytes(12) + note()], [note() + note(b"OSRELEASE=9\n", kind=1)], [cpus(), note()],
        [note(namesz=12)], [note() + note(b"", b"CORE\0")],
    ],
)  # fmt: skip
def test_notes_that_it_takes(notes: list[bytes]) -> None:
    assert _judge(elf(notes)).osrelease == "6.1.0-test"


def test_a_sound_xen_dump_is_unknown() -> None:
    xen = note(bytes(80), b"Xen\0", 0x1000001) + note(name=b"VMCOREINFO_XEN\0")
    assert _judge(elf([xen + note()])).accepts is None


_BASIC = "read_vmcoreinfo_basic_info: "
_DATA = "Invalid data in /tmp/vmcoreinfoXXXXXX: "


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        (_SHORT.replace(b"\n", b"\r\n"), "carriage-return", _BASIC + _DATA + "PAGESIZE=4096\\x0d"),
        (_SHORT.replace(b"4096", b"0x1000"), "pagesize", _BASIC + _DATA + "PAGESIZE=0x1000"),
        (b"PAGESIZE=\n" + _SHORT, "pagesize", _BASIC + _DATA + "PAGESIZE="),
        (_SHORT + b"PAGESIZE=3\n", "pagesize-no-power-of-two",
         "set_page_size: Invalid page_size: 3" + _BASIC + _DATA + "PAGESIZE=3"),
        (_SHORT + b"CRASHTIME=0\n", "crashtime", _BASIC + _DATA + "CRASHTIME=0"),
        (b"PAGESIZE=4096\n", "no-release", _BASIC + "Invalid format in /tmp/vmcoreinfoXXXXXX"),
        (b"\0" + _SHORT, "no-release", _BASIC + "Invalid format in /tmp/vmcoreinfoXXXXXX"),
        (b"OSRELEASE=6\n PAGESIZE=4096\n", "no-pagesize", _BASIC + "Invalid format in /tmp/vmcoreinfoXXXXXX"),
        (_SHORT + b"SYMBOL(prb)=0\n", "symbol", "read_vmcoreinfo_symbol: " + _DATA + "SYMBOL(prb)=0"),
        (_SHORT + b"SYMBOL(prb)=fffg\n", "symbol", "read_vmcoreinfo_symbol: " + _DATA + "SYMBOL(prb)=fffg"),
        (_SHORT + b"SYMBOL(prb)=-1\n", "symbol", "read_vmcoreinfo_symbol: " + _DATA + "SYMBOL(prb)=-1"),
        (_SHORT + b"SIZE(page)=64 \n", "number", "read_vmcoreinfo_long: " + _DATA + "SIZE(page)=64 "),
        (_SHORT + b"SIZE(page)=x\nSYMBOL(prb)=0\n", "symbol", "read_vmcoreinfo_symbol: " + _DATA + "SYMBOL(prb)=0"),
    ],
)  # fmt: skip
def test_texts_that_it_refuses(text: bytes, rule: str, words: str) -> None:
    assert _refused(elf([note(text)])) == (rule, "after", words)


@pytest.mark.parametrize(
    "more",
    [
        b"SIZE(page)=\n", b"SIZE(page)=0x40\n", b"SIZE(page)=4f\n", b"SYMBOL(prb)=0x10\n",
        b"SYMBOL(prb)=1\nSYMBOL(prb)=0\n",
        b"SYMBOL(unknown)=0\n", b"OFFSET(page._refcount)=1\nOFFSET(page._count)=x\n",
        b"SIZE(printk_log)=1\nSIZE(log)=x\n",
        b"OFFSET(prb_desc.state_var)=x\n", b"SIZE(page)=-3\nNUMBER(phys_base)=x\n",
    ],
)  # fmt: skip
def test_texts_that_it_takes(more: bytes) -> None:
    assert _text(_SHORT + more).accepts


def test_values_as_it_reads_them() -> None:
    values = _text(
        _SHORT + b"PAGESIZE=8192\nSIZE(page)=0x40\nNUMBER(sme_mask)=-1\nSYMBOL(prb)=f\nSYMBOL(prb)=e\n"
    ).values()
    assert (values[b"PAGESIZE"].number, values[b"SIZE(page)"].number, values[b"SYMBOL(prb)"].number) == (8192, 64, 15)
    assert "base 16" in values[b"SIZE(page)"].how
    assert values[b"NUMBER(sme_mask)"].problem and not values[b"SYMBOL(prb)"].problem


def test_lines_are_those_of_fgets() -> None:
    assert MakedumpfileText(b"A=1\0junk\nB=2\n\0C=3\n").lines == [b"A=1", b"B=2"]
    assert MakedumpfileText(b"x" * 1499 + b"PAGESIZE=3\n").lines == [b"x" * 1499, b"PAGESIZE=3"]
    assert lines(b"OSRELEASE=\nOSRELEASE=6\nOSRELEASE=7\nA=1\nA=2") == {b"OSRELEASE": b"6", b"A": b"1"}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (_SHORT + b"SIZE(page)=-3\n", "silent-number"),
        (_SHORT + b"A\0\n", "nul"),
        (_SHORT + b"y" * 1500, "long-line"),
        (_SHORT + b"PAGESIZE=8192\n", "first-counts"),
        (_SHORT, "no-page-tables"),
        (_SHORT, "no-utsname"),
        (_SHORT + b"SYMBOL(prb)=1\n", "log-keys-missing"),
        (_SHORT.replace(b"4096", b"16") + b"SIZE(mem_section)=32\n", "pagesize-below-a-section"),
    ],
)
def test_what_it_reads_otherwise_or_fails_of_later(text: bytes, rule: str) -> None:
    verdict = _text(text)
    assert verdict.accepts and rule in {fired.rule.name for fired in verdict.fired}


def test_the_last_virtual_address_places_the_linear_map() -> None:
    text = _SHORT + b"SYMBOL(mem_section)=ffff888001000000\n"
    linear, vmalloc = Load(0x1000, ram(), vaddr=0xFFFF888000001000), Load(0x1000, ram(), vaddr=0xFFFFC90000000000)
    rules = [{f.rule.name for f in _judge(elf([note(text)], loads)).fired} for loads in ([linear], [linear, vmalloc])]
    assert ["linear-map-after-the-last-header" in names for names in rules] == [False, True]


def test_any_beginning_of_a_dump_is_judged() -> None:
    whole = elf([cpus() + note()], [Load(0, ram(64))])
    verdicts = [_judge(whole[:length]).accepts for length in range(len(whole))]
    assert verdicts[0] is False and verdicts[-1] is True


def _at(version: str, data: bytes) -> Verdict:
    return judge(READER.at(version), View(BytesSource(data)))


def test_a_text_of_more_than_a_page_kills_versions_before_1_7_0() -> None:
    data = (DATA / "versions" / "makedumpfile-168-long-text.elf").read_bytes()
    old = _at("1.6.8", data)
    assert (old.accepts, old.stage, old.says) == (False, "note", "*** stack smashing detected ***: terminated")
    assert all(_at(version, data).accepts for version in ("1.7.0", "1.7.2", "1.7.8"))
    text = _SHORT.ljust(4104, b"x")
    lived = [_at("1.6.8", elf([cpus() + note(text + more)])).accepts for more in (b"", b"\0", b"x", b"\0\0")]
    assert lived == [True, True, False, False], "the first byte of the stack's guard is 0"
    assert not _at("1.6.8", kdump(text + b"x")).accepts


def test_a_long_release_kills_versions_before_1_7_0_in_the_end() -> None:
    def causes(version: str, length: int) -> list[str]:
        data = elf([cpus() + note(b"OSRELEASE=" + b"6".ljust(length, b"x") + TEXT_64[TEXT_64.index(b"\n") :])])
        assert _at(version, data).accepts
        return [fired.rule.cause for fired in _at(version, data).fired]

    assert "T14" in causes("1.6.8", 177) and "T14" not in causes("1.6.8", 176) + causes("1.7.2", 177)


@pytest.mark.parametrize(
    ("kernel", "first"),
    [("6.1.0", ""), ("6.2.0", "1.7.3"), ("6.6.1", "1.7.4"), ("6.12.9", "1.7.7"), ("6.17.0", "1.7.8"), ("7.1.0", "2.0")],
)
def test_a_kernel_is_too_new_for_a_version(kernel: str, first: str) -> None:
    keys = b"SYMBOL(init_uts_ns)=ffffffff827fb000\nSYMBOL(init_top_pgt)=ffffffff82610000\n"
    data = elf([cpus() + note(b"OSRELEASE=%b\nPAGESIZE=4096\n" % kernel.encode() + keys)])
    for version in ("1.6.8", "1.7.2", "1.7.3", "1.7.4", "1.7.6", "1.7.7", "1.7.8", "1.7.9"):
        fired = [item.rule.name for item in _at(version, data).fired if item.rule.cause == "T24"]
        assert bool(fired) is (numbers_of(version) < numbers_of(first)), version


@pytest.mark.parametrize(
    ("line", "since"),
    [
        (b"SYMBOL(prb)=x", "1.6.8"), (b"OFFSET(uts_namespace.name)=x", "1.6.9"), (b"SYMBOL(clear_seq)=0", "1.7"),
        (b"OFFSET(folio._folio_dtor)=x", "1.7.3"), (b"NUMBER(VMALLOC_START)=x", "1.7.5"),
        (b"NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE)=x", "1.7.8"),
    ],
)  # fmt: skip
def test_a_bad_value_counts_from_the_version_on_that_reads_its_key(line: bytes, since: str) -> None:
    data = elf([cpus() + note(_SHORT + line + b"\n")])
    for version in ("1.6.8", "1.6.9", "1.7.2", "1.7.3", "1.7.6", "1.7.8"):
        verdict = _at(version, data)
        assert verdict.accepts is (numbers_of(version) < numbers_of(since)), version
        assert (line.partition(b"=")[0] in verdict.values()) is not verdict.accepts


def test_the_first_bad_value_is_the_first_in_the_order_of_a_version() -> None:
    data = elf([cpus() + note(_SHORT + b"NUMBER(PG_lru)=x\nOFFSET(folio._folio_dtor)=y\n")])
    assert _at("1.7.2", data).says.endswith("NUMBER(PG_lru)=x")
    assert _at("1.7.3", data).says.endswith("OFFSET(folio._folio_dtor)=y")
