"""QEMU as a reader: the edge cases of its decision table; `tests/qemu` compares it with recorded runs."""

from __future__ import annotations

import struct

import pytest

from tests.dumps import factory
from tests.kit import become, opened
from tests.opened_files import open_document
from tests.paths import SAMPLES
from vmci_tui.common.safe_text import Safe
from vmci_tui.common.span import Span
from vmci_tui.document.document import entry_document
from vmci_tui.document.state import State
from vmci_tui.formats.elf_note import NAME, ByteOrder, build
from vmci_tui.formats.fw_cfg_entry import RESET, Entry, EntryHistory, Write
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers.qemu import READER, RULES, judge_entry, reader, verdict, warnings
from vmci_tui.readers.qemu.entry_reading import DumpTarget, QemuReading, RegionBytes
from vmci_tui.readers.rule import Verdict

_SAMPLES = SAMPLES
_X86 = DumpTarget("x86_64", 64, "little")
_TEXT = b"OSRELEASE=6.1.0\nNUMBER(phys_base)=0x1000\n"


def history(*writes: Write) -> EntryHistory:
    return EntryHistory("writes", writes)


def full(size: int = 4132, guest_format: int = 1, host_format: int = 0, paddr: int = 0x1000) -> Write:
    return Write(0, 16, Entry(host_format, guest_format, size, paddr).pack())


def raw(text: bytes = _TEXT, name: bytes = NAME, order: ByteOrder = "little", kind: int = 0) -> bytes:
    return build(name, kind, text, order).raw


def read(
    region: bytes, *writes: Write, guest: DumpTarget = _X86, version: str = "7.2", offset: int | None = None
) -> QemuReading:
    return QemuReading(history(*(writes or (full(),))), RegionBytes(region, offset), guest, version)


def judged(region: bytes | None, *writes: Write, guest: DumpTarget = _X86) -> Verdict:
    return judge_entry(history(*writes), None if region is None else RegionBytes(region), guest)


def test_a_good_note_is_appended_to_the_byte() -> None:
    reading = read(raw() + b"what lies behind")
    assert (warnings(reading), reading.appended, reading.phys_base) == ((), raw(), 0x1000)
    found = judged(raw(), full())
    assert (found.accepts, found.stage, found.osrelease, found.note) == (True, None, "6.1.0", None)
    assert found.says == f"the note is appended, {len(raw())} bytes" and not found.fired


@pytest.mark.parametrize(
    ("writes", "name"),
    [
        ((), "never-written"),
        ((Write(0, 0, b""),), "never-written"),
        ((Write(0, 17, bytes(17)),), "only-failed-writes"),
        ((Write(0, 16, None),), "only-failed-writes"),
        ((full(), Write(4, 4, bytes(4))), "not-a-full-write"),
        ((Write(0, 8, (full().data or b"")[:8]), Write(8, 8, bytes(8))), "not-a-full-write"),
        ((full(), full(guest_format=0)), "switched-off"),
    ],
)
def test_not_present_has_one_word_and_four_reasons(writes: tuple[Write, ...], name: str) -> None:
    found = judged(raw(), *writes)
    assert (found.accepts, found.stage, found.says) == (False, "before", "guest note is not present")
    assert found.fired[0].rule.name == name


def test_a_failed_dma_zeroes_the_entry_and_leaves_it_present() -> None:
    assert judged(raw(), full(), Write(0, 16, None)).says == "guest note size is invalid: 0"
    assert judged(raw(), full(), Write(8, 16, bytes(16))).accepts  # past byte 16: the state before stays


@pytest.mark.parametrize("guest_format", [1, 2, 0xFFFF])
@pytest.mark.parametrize(
    ("size", "passes"), [(0, False), (11, False), (12, True), (1 << 20, True), ((1 << 20) + 1, False)]
)
def test_size_is_judged_before_the_format(size: int, passes: bool, guest_format: int) -> None:
    says = warnings(read(b"", full(size, guest_format)))
    if not passes:
        assert says == (f"guest note size is invalid: {size}",)
    else:
        assert says == (() if guest_format == 1 else (f"guest note format is unsupported: {guest_format}",))


def test_host_format_type_and_alignment_are_never_looked_at() -> None:
    assert read(raw(kind=9), full(host_format=77, paddr=0x1003)).appended == raw(kind=9)


@pytest.mark.parametrize(
    ("namesz", "descsz", "size"),
    [
        (11, (1 << 20) + 1, 1 << 20),
        (0xFFFFFFFF, 0, 1 << 20),
        (0, 0xFFFFFFFF, 1 << 20),
        (0xFFFFFFF4, 0xFFFFFFF4, 4132),
        (11, 370, 395),
        (1, 0, 15),
    ],
)
def test_a_header_that_says_too_much(namesz: int, descsz: int, size: int) -> None:
    found = judge_entry(history(full(size)), RegionBytes(struct.pack("<III", namesz, descsz, 0)), _X86)
    assert (found.accepts, found.stage, found.says) == (False, "note", "Invalid guest note header")


def test_the_padding_counts_and_exactly_fits() -> None:
    note = raw(b"x" * 370)
    assert len(note) == 396
    assert warnings(read(note, full(396))) == () and warnings(read(note, full(395))) != ()


def test_zeros_outside_ram() -> None:
    found = judged(b"", full())
    assert found.accepts and found.says == "12 zero bytes are appended silently"
    assert [item.rule.cause for item in found.fired] == ["N07"]
    reading = read(raw()[:30])  # a note across the end of RAM
    assert reading.appended is None or reading.appended == raw()[:30].ljust(len(raw()), b"\0")


def test_the_first_padding_byte_becomes_zero_for_a_vmcoreinfo_only() -> None:
    note = raw(b"a=b\nc")  # three bytes of padding
    dirty = note[:-3] + b"\xaa\xbb\xcc"
    reading = read(dirty)
    assert reading.appended == note[:-3] + b"\0\xbb\xcc"
    assert [item.cause for item in RULES if item.check(reading)] == ["N03"]
    assert read(dirty.replace(NAME, b"VMCOREINFO!")).appended == dirty.replace(NAME, b"VMCOREINFO!")
    assert read(raw(b"a=b\n") + b"\xff").appended == raw(b"a=b\n")  # the NUL goes behind the note


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (b"0x0", 0), (b"0755", 0x755), (b"0b101", 0xB101), (b"1e3", 0x1E3), (b"0X1f", 0x1F), (b" \t\v\f\r12", 0x12),
        (b"+12", 0x12), (b"-80000000", 0xFFFFFFFF80000000), (b"-0x1", (1 << 64) - 1), (b"f" * 16, (1 << 64) - 1),
        (b"0" * 40 + b"1", 1), (b"884998144", 0x884998144), (b"12\0 and more", 0x12),
    ],
)  # fmt: skip
def test_phys_base_is_what_strtoull_takes_in_base_16(value: bytes, number: int) -> None:
    reading = read(raw(b"NUMBER(phys_base)=" + value + b"\n"))
    assert (warnings(reading), reading.phys_base) == ((), number)
    assert (read(raw(b"NUMBER(phys_base)=" + value)).phys_base) == number


@pytest.mark.parametrize(
    "value",
    [b"", b" ", b"0x", b"-", b"12 ", b"12\t", b"12\r", b"1000L", b'"12"', b"x12", b"1" + b"0" * 16, b"12,5", b"- 1"],
)
def test_what_is_no_number_leaves_the_guess_and_is_told(value: bytes) -> None:
    text = b"NUMBER(phys_base)=" + value + b"\nNUMBER(phys_base)=1\n"
    found = judged(raw(text), full())
    assert found.accepts and "Failed to read NUMBER(phys_base)=" in found.says
    assert [item.words for item in found.fired] == ["Failed to read NUMBER(phys_base)="]
    reading = read(
        raw(text.replace(b"phys_base", b"PHYS_OFFSET")), guest=DumpTarget("aarch64", 64, "little", 0x40000000)
    )
    assert warnings(reading) == ("Failed to read NUMBER(PHYS_OFFSET)=",) and reading.phys_base == 0x40000000


@pytest.mark.parametrize(
    "text",
    [b" NUMBER(phys_base)=5\n", b"number(phys_base)=5\n", b"NUMBER(phys_base) =5\n", b"a=\0\nNUMBER(phys_base)=5\n",
     b"NUMBER(PHYS_OFFSET)=5\n", b"NUMBER(phys_base)"],
)  # fmt: skip
def test_a_line_that_is_none(text: bytes) -> None:
    reading = read(raw(text))
    assert (warnings(reading), reading.phys_base) == ((), 0)
    assert len(reading.appended or b"") == len(raw(text))


@pytest.mark.parametrize("machine", ["i386", "arm", "s390x", None])
def test_other_machines_have_no_key(machine: str | None) -> None:
    guest = DumpTarget(machine, 32, "little", 0x40000000)
    reading = read(raw(b"NUMBER(phys_base)=z\nNUMBER(PHYS_OFFSET)=z\n"), guest=guest)
    assert warnings(reading) == () and reading.phys_base == (0x40000000 if machine == "arm" else 0)
    assert reader("7.2", machine).keys.keys() == (READER.keys.keys() if machine is None else set())


@pytest.mark.parametrize(
    ("bits", "order", "version", "appended"),
    [
        (32, "little", "7.2", True), (32, "big", "7.2", False), (64, "little", "7.2", True), (64, "big", "7.2", False),
        (32, "little", "10.0", False), (32, "big", "10.0", True), (64, "little", "10.0", False),
        (64, "big", "10.0", False),
    ],
)  # fmt: skip
def test_big_endian_guests(bits: int, order: ByteOrder, version: str, appended: bool) -> None:
    guest = DumpTarget("arm" if bits == 32 else "aarch64", bits, "big")
    reading = read(raw(order=order), guest=guest, version=version)
    assert (reading.appended == raw(order=order)) is appended
    assert warnings(reading) == (() if appended else ("Invalid guest note header",))
    assert read(bytes(12), guest=guest, version=version).appended == bytes(12)


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("7.2", r"Failed to read NUMBER(phys_base)="),
        ("10.0.13", r"Failed to read NUMBER(phys_base)="),
        ("11.1", r"failed to parse NUMBER(phys_base)= in VMCOREINFO: 'z \x1b[31m\xe9\x0d'"),
        ("12.0", r"failed to parse NUMBER(phys_base)= in VMCOREINFO: 'z \x1b[31m\xe9\x0d'"),
    ],
)
def test_words_for_a_phys_base_that_is_no_number(version: str, words: str) -> None:
    region = raw(b"NUMBER(phys_base)=z \x1b[31m\xe9\r\nA=1\n")
    assert warnings(read(region, version=version)) == (words,)
    found = judge_entry(history(full()), RegionBytes(region), _X86, version)
    assert [item.words for item in found.fired] == [words] and found.reader.version == version
    assert found.says == f"the note is appended, {len(region)} bytes; {words}"


def test_a_decimal_phys_base_is_read_in_another_base_and_nothing_is_said() -> None:
    text = b"NUMBER(phys_base)=884998144\n"
    found = judge_entry(history(full()), RegionBytes(raw(text), 4096), _X86)
    (fired,) = found.fired
    assert (found.accepts, fired.rule.cause, fired.words, fired.span) == (True, "T16", "", Span(4096 + 42, 9))
    assert found.values()[b"NUMBER(phys_base)"].shown == "0x884998144"
    for same in (b"0x1000", b"0", b"9", b"-1", b"007"):
        assert not judged(raw(b"NUMBER(phys_base)=" + same + b"\n"), full()).fired


def test_memory_that_is_not_known_gives_unknown_unless_the_entry_is_refused_before() -> None:
    assert judged(None, full()).accepts is None
    assert judged(None, full(11)).says == "guest note size is invalid: 11"
    assert judged(None, full(guest_format=3)).accepts is False


def test_without_an_entry_nothing_is_judged() -> None:
    found = verdict(opened(factory.elf((factory.note(),))))
    assert (found.accepts, found.reader.name, found.fired) == (None, "qemu", ())
    assert verdict(entry_document(Safe("e"), history(full()), BytesSource(RESET))).accepts is None


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("x86_64-linux-good", "the note is appended, 2352 bytes"),
        ("x86_64-beyond-ram", "12 zero bytes are appended silently"),
        ("x86_64-guest-format-2", "guest note format is unsupported: 2"),
        ("x86_64-invalid-header", "Invalid guest note header"),
        ("x86_64-no-note", "guest note is not present"),
        ("x86_64-size-over-1MiB", "guest note size is invalid: 1048577"),
        ("x86_64-bad-phys-base", "the note is appended, 2360 bytes; Failed to read NUMBER(phys_base)="),
    ],
)
def test_dumps_with_their_entries(name: str, says: str) -> None:
    document = open_document(str(_SAMPLES / f"{name}.elf"), str(_SAMPLES / f"{name}.entry"))
    assert verdict(document).says == says
    document.close()


def test_memory_goes_on_at_zero_behind_the_last_address() -> None:
    note = raw()
    loads = (factory.Load(0, note[8:].ljust(4096, b"\0")), factory.Load((1 << 64) - 4096, bytes(4088) + note[:8]))
    document = opened(factory.elf((factory.cpus(),), loads), history(full(paddr=(1 << 64) - 8)))
    assert verdict(document).says == f"the note is appended, {len(note)} bytes"


def test_a_note_half_in_a_dump_is_filled_up_and_a_window_is_known_by_its_own_note() -> None:
    start = factory.elf((factory.cpus(),), (factory.Load(0x1000, raw()[:40]),))
    reading_says = verdict(opened(start, history(full()))).says
    assert reading_says.startswith("the note is appended")
    window = opened(factory.elf((raw(),), (factory.Load(0x1000, bytes(64)),)), history(full(paddr=0x9000)))
    assert verdict(window).says == f"the note is appended, {len(raw())} bytes"
    window.edit(become(State(entry=window.state.entry)))
    assert verdict(window).accepts  # what the guest had does not go by what is edited
    bare = opened(factory.elf((factory.cpus(),), (factory.Load(0x1000, bytes(64)),)), history(full(paddr=0x9000)))
    assert verdict(bare).accepts is None


def test_each_rule_says_why_and_where_it_was_read() -> None:
    for item in RULES:
        assert item.why and item.why.endswith(".") and "QEMU 7.2.22, " in item.source, item.name
        assert item.words or not item.refuses or not item.observed, item.name
