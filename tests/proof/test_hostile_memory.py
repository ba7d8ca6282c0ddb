"""Test that a proof of any text in any memory ends with a result, never with an exception."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.proof import guests
from tests.proof.synthetic import Ram, uts
from tests.properties import given, settings
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import ByteOrder, build
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.layers.file import BytesSource
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Range, Ranges
from vmci_tui.proof import prove
from vmci_tui.proof.kernel_addresses import PlacedKernel
from vmci_tui.proof.machines import AARCH64, MACHINES, S390X
from vmci_tui.proof.witnesses.kallsyms import symbol_table
from vmci_tui.proof.witnesses.printk_ring import log_buffer
from vmci_tui.proof.witnesses.s390x_lowcore import named_note

_NAMES = sorted(guests.TRUTH)
_ODD = st.sampled_from(
    (b"", b"0", b"-1", b"ffffffffffffffff", b"0x", b"zz", b"9" * 19, b"9" * 5000, b"f" * 17, b"\x1b[2J", b"-0", b"1 ")
)
_MACHINES = st.sampled_from((*MACHINES, None, "sparc64"))


@st.composite
def _texts(draw: st.DrawFn) -> Vmcoreinfo:
    text = guests.true_text(draw(st.sampled_from(_NAMES)))
    for _ in range(draw(st.integers(0, 4))):
        line = draw(st.sampled_from(text.lines[:130]))
        if line.key is not None:
            text = text.with_value(line.key, draw(_ODD))
    return text


@settings(max_examples=300, deadline=None)
@given(_texts(), st.sampled_from(_NAMES), _MACHINES, st.booleans(), st.sampled_from(("little", "big", None)))
def test_any_text_on_any_guest(
    text: Vmcoreinfo, name: str, machine: str | None, own: bool, order: ByteOrder | None
) -> None:
    guest = guests.guest(name)
    proof = prove(text, guest if own else guest._replace(machine=machine, order=order))
    assert proof.why.isascii() and proof.why.isprintable() and len(proof.why) < 2000


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(_NAMES), st.data())
def test_a_guest_with_any_bytes_changed(name: str, data: st.DataObject) -> None:
    guest, text = guests.guest(name), guests.true_text(name)
    memory = bytearray(guest.source.read(0, guest.source.size))
    for _ in range(data.draw(st.integers(1, 40))):
        at = data.draw(st.integers(0, len(memory) - 64))
        length = data.draw(st.integers(1, 64))
        memory[at : at + length] = data.draw(st.binary(min_size=length, max_size=length))
    proof = prove(text, guest._replace(source=BytesSource(bytes(memory))))
    assert proof.why.isprintable()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=3000), st.binary(max_size=5000), _MACHINES)
def test_any_bytes_at_all(text: bytes, memory: bytes, machine: str | None) -> None:
    guest = Guest(BytesSource(memory), Memory(Ranges((Range(0, len(memory), 0),))), machine, 64, "little")
    assert prove(Vmcoreinfo(text), guest).proved is None


def test_a_wrong_table_of_symbols() -> None:
    """Tokens and index are whole; the number of symbols, the names and the addresses are wrong."""
    names = (b"kallsyms_token_table", b"kallsyms_token_index", b"kallsyms_num_syms", b"kallsyms_offsets",
             b"kallsyms_names", b"kallsyms_relative_base", b"_stext")  # fmt: skip
    text = Vmcoreinfo(b"".join(b"SYMBOL(%s)=%x\n" % (name, 0x1000 * at) for at, name in enumerate(names, 1)))
    for stream in (b"\xff" * 0x1000, b"\x80" * 0x1000, b"\0" * 0x1000, b"\x7f" * 0x1000):
        ram = Ram()
        ram.put(0x1000, b"T\0" * 256 + bytes(2048))
        ram.put(0x2000, b"".join((2 * number).to_bytes(2, "little") for number in range(256)))
        ram.word(0x3000, 1 << 22, 4)
        ram.put(0x4000, bytes(0x1000))
        ram.put(0x5000, stream)
        ram.put(0x6000, bytes(0x1000))
        assert symbol_table(PlacedKernel(text, ram.guest("aarch64"), AARCH64, 0, "")).fits is not True


def test_a_wrong_log_buffer() -> None:
    keys = (b"SIZE(printk_ringbuffer)", b"OFFSET(printk_ringbuffer.desc_ring)",
            b"OFFSET(printk_ringbuffer.text_data_ring)", b"OFFSET(prb_desc_ring.count_bits)",
            b"OFFSET(prb_desc_ring.descs)", b"OFFSET(prb_desc_ring.infos)", b"OFFSET(prb_data_ring.size_bits)",
            b"OFFSET(prb_data_ring.data)")  # fmt: skip
    text = Vmcoreinfo(b"SYMBOL(prb)=1000\nSYMBOL(printk_rb_static)=2000\n" + b"".join(k + b"=4096\n" for k in keys))
    ram = Ram()
    ram.put(0x1000, bytes(0x3000))
    assert log_buffer(PlacedKernel(text, ram.guest("aarch64"), AARCH64, 0, "")).fits is False


def test_a_wrong_lowcore() -> None:
    overwritten = build(b"VMCOREINFO\0", 0, bytes(200), "big").raw
    for note in (b"\0\0\0\x0b\xff\xff\xff\xff" + bytes(4), b"", bytes(0x1000), overwritten):
        ram = Ram("big")
        ram.word(0xE0C, 0x5000)
        ram.put(0x5000, note or b"\0")
        assert named_note(PlacedKernel(Vmcoreinfo(b""), ram.guest("s390x"), S390X, 0, "")).fits is None


def test_a_utsname_with_escape_sequences_is_refused() -> None:
    ram = Ram()
    text = ram.kernel(0x6000000)
    ram.put(0x75FB000, uts(release=b"6\x1b[2J"))
    assert "\x1b" not in prove(text, ram.guest()).why
