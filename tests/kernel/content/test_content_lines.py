"""Test the lines that the content of a kernel's data shows, in memory that the tests' writers laid out."""

from __future__ import annotations

from functools import partial

import pytest

from tests.kernel.log.rings import RESERVED, RingWriter, Said
from tests.proof.synthetic import Ram
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.content.content_lines import content_lines
from vmci_tui.kernel.facts.running_kernel import Fact, RunningKernel
from vmci_tui.kernel.lines.prove_lines import facts_of
from vmci_tui.kernel.log.printk_ring import RingMemory, read_records_of
from vmci_tui.kernel.log.record import KernelLog
from vmci_tui.kernel.log.ring_layout import Ring, RingLayout
from vmci_tui.kernel.virtual_memory import read_mapped
from vmci_tui.proof.paging.walk import WalkEnd

_SHIFT = 0xC0000000
_ETEXT = _SHIFT + 0x10_0000
_RING = _ETEXT + 0x4_0000
_UTS = 0x20_0000
"""Where the utsname is in memory."""
_FORMS: list[tuple[ByteOrder, int, int, int]] = [
    ("little", 4, 0, 88), ("little", 4, 1, 88), ("little", 4, 1, 112), ("little", 8, 1, 88), ("big", 8, 1, 88),
    ("big", 8, 1, 112),
]  # fmt: skip
"""Byte order, bytes of a word, words after tail_id, bytes of printk_info."""


def _paddr(address: int) -> int:
    return address - _SHIFT


def _ring(ram: Ram, word: int, newer: int, info_size: int, at: int = _RING) -> RingWriter:
    return RingWriter(ram, at, _paddr, word, newer=newer, info_size=info_size)


def _log(ring: RingWriter, count: int = 24, device: bool = True) -> None:
    for number in range(count):
        names = (b"pci", b"+pci:0000:00:01.0") if device and number == count - 3 else (b"", b"")
        ring.add(Said(b"line %d" % number, 1000 * number, 6, 0, 1, *names))


def _kernel(ram: Ram, word: int, release: bytes = b"6.1.0-50", **symbols: int) -> RunningKernel:
    known = {b"_etext": _ETEXT} | {name.encode(): at for name, at in symbols.items()}
    return RunningKernel(
        "arm",
        ram.order,
        word,
        lambda name: (known[name],) if name in known else (),
        {},
        None,
        partial(read_mapped, ram.guest(), _paddr),
        _paddr,
        lambda tables, root, va: WalkEnd("absent", root),
        release,
    )


def _utsname(release: bytes, version: bytes = b"#1 SMP Debian") -> bytes:
    fields = (b"Linux", b"host", release, version, b"armv7l", b"(none)")
    return b"".join(field.ljust(65, b"\0") for field in fields)


@pytest.mark.parametrize(("order", "word", "newer", "info_size"), _FORMS)
def test_a_ring_shows_where_it_is_and_how_its_structs_are_laid_out(
    order: ByteOrder, word: int, newer: int, info_size: int
) -> None:
    ram = Ram(order)
    ring = _ring(ram, word, newer, info_size)
    _log(ring)
    text = Vmcoreinfo(
        ring.keys()
        + b"OFFSET(printk_info.dev_info)=%d\n" % (24 if info_size == 88 else 44)
        + b"SYMBOL(printk_rb_static)=%x\nSIZE(printk_ringbuffer)=%d\n" % (_RING + 16, (10 + newer) * word)
    )
    kernel = _kernel(ram, word)
    facts = facts_of(kernel, text)
    assert {line.verdict for line in facts.lines(text)} == {"confirmed"}
    for line in text.lines:
        (false,) = facts.lines(Vmcoreinfo(b"%s=1%s\n" % (line.key, line.value)))
        assert (false.verdict, false.found) == ("contradicted", line.value)


def test_a_ring_that_went_round_is_known_too() -> None:
    ram = Ram()
    _log(_ring(ram, 4, 1, 88), 100)
    assert content_lines(_kernel(ram, 4))[b"SYMBOL(prb)"].value == _RING


def test_where_no_record_names_a_device_its_place_is_not_known() -> None:
    ram = Ram()
    _log(_ring(ram, 4, 1, 88), device=False)
    lines = content_lines(_kernel(ram, 4))
    assert b"OFFSET(printk_info.dev_info)" not in lines and lines[b"SIZE(printk_info)"].value == 88


@pytest.mark.parametrize("at", range(9))
def test_a_struct_of_which_any_word_is_another_is_not_a_ring(at: int) -> None:
    """Each word of the struct says something of the records, so that its place is shown by them; the tenth, none."""
    ram = Ram()
    ring = _ring(ram, 4, 0, 88)
    _log(ring)
    ring.put(_RING + 16 + 4 * at, 0x11111111, 4)
    assert not content_lines(_kernel(ram, 4))


@pytest.mark.parametrize("spoilt", ["few", "times", "numbers", "callers", "writing"])
def test_records_that_are_not_those_of_a_log_are_not_believed(spoilt: str) -> None:
    ram = Ram()
    ring = _ring(ram, 4, 1, 88)
    for number in range(12 if spoilt == "few" else 24):
        if spoilt == "numbers" and number == 20:
            ring.sequence += 64 - 32
        ring.add(
            Said(
                b"line",
                -number % 64 if spoilt == "times" else number,
                caller=1 << 23 if spoilt == "callers" else 1,
            )
        )
    if spoilt == "writing":
        ring.add(Said(b"not yet"), RESERVED)
        ring.put(_RING + 16 + 3 * 4, ring.head + 1, 4)
    assert bool(content_lines(_kernel(ram, 4))) == (spoilt == "numbers")


def test_of_two_rings_the_later_is_in_use_and_the_first_is_the_compilers() -> None:
    """With many CPUs the kernel makes a longer ring while it boots, and copies the records."""
    ram = Ram()
    first, later = _ring(ram, 4, 1, 88), _ring(ram, 4, 1, 88, _RING + 0x20_000)
    _log(first)
    _log(later, 27)
    for ring in (first, later):  # the writer's own pointers
        ring.put(ring.at, 0, 4)
    first.put(_RING + 8, later.at + 16, 4)
    lines = content_lines(_kernel(ram, 4))
    assert (lines[b"SYMBOL(prb)"].value, lines[b"SYMBOL(printk_rb_static)"].value) == (_RING + 8, _RING + 16)


def test_a_copy_of_the_ring_is_not_taken_for_it_and_two_pointers_leave_prb_unknown() -> None:
    ram = Ram()
    ring = _ring(ram, 4, 1, 88)
    _log(ring)
    copied = _paddr(_RING) + 0x10_0000
    ram.put(copied, bytes(ram.pages[_paddr(_RING) // 4096][:128]))
    lines = content_lines(_kernel(ram, 4))
    assert lines[b"SYMBOL(printk_rb_static)"].value == _RING + 16 and b"SYMBOL(prb)" not in lines


def test_of_many_rings_only_a_few_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    ram, read = Ram(), list[Ring]()
    ring = _ring(ram, 4, 1, 88)
    _log(ring)
    struct = bytes(ram.pages[_paddr(_RING) // 4096][16:128])
    for copy in range(40):
        ram.put(_paddr(_RING) + 0x10_0000 + 128 * copy, struct)

    def counted(memory: RingMemory, layout: RingLayout, ring: Ring) -> KernelLog | str:
        read.append(ring)
        return read_records_of(memory, layout, ring)

    monkeypatch.setattr("vmci_tui.kernel.content.rings.read_records_of", counted)
    assert content_lines(_kernel(ram, 4))[b"SYMBOL(printk_rb_static)"].value == _RING + 16 and len(read) == 8


def test_the_only_utsname_of_this_kernel_shows_where_init_uts_ns_is() -> None:
    ram = Ram()
    ram.put(_UTS, _utsname(b"6.1.0-50"))
    ram.put(_UTS + 0x1000, _utsname(b"6.1.0-49"))
    ram.put(_UTS + 0x2000, _utsname(b"6.1.0-50", b"# SMP"))
    lines = content_lines(_kernel(ram, 4))
    assert lines[b"SYMBOL(init_uts_ns)"].value == _UTS + _SHIFT
    assert lines[b"OFFSET(uts_namespace.name)"].value == 0
    ram.put(_UTS + 0x3000, _utsname(b"6.1.0-50"))
    assert not content_lines(_kernel(ram, 4))


def test_before_511_a_reference_count_is_before_the_utsname() -> None:
    ram = Ram()
    ram.put(_UTS + 4, _utsname(b"5.10.0-32"))
    lines = content_lines(_kernel(ram, 4, b"5.10.0-32"))
    assert (lines[b"SYMBOL(init_uts_ns)"].value, lines[b"OFFSET(uts_namespace.name)"].value) == (_UTS + _SHIFT, 4)


def test_a_table_of_symbols_with_variables_is_believed_alone() -> None:
    ram = Ram()
    _log(_ring(ram, 4, 1, 88))
    assert content_lines(_kernel(ram, 4)) and not content_lines(_kernel(ram, 4, linux_banner=_ETEXT))
    assert all(isinstance(fact, Fact) and fact.by for fact in content_lines(_kernel(ram, 4)).values())
