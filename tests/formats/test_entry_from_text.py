"""Test reading an entry from text; the outputs of gdb here are those of gdb 13.1 for such a struct."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from tests.kit import found as findings_of
from tests.properties import given
from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe
from vmci_tui.document.document import entry_document
from vmci_tui.formats.entry_from_text import from_gdb, from_sysfs, from_text, is_entry_text, looks_like_pair
from vmci_tui.formats.fw_cfg_entry import RESET, Entry, EntryHistory
from vmci_tui.layers.file import BytesSource

_ENTRY = Entry(0, 1, 4132, 0x1F8C000)
_HEX = b"$1 = {host_format = 0x0, guest_format = 0x1, size = 0x1024, paddr = 0x1f8c000}\n"
_PRETTY = b"""\
Program received signal SIGABRT, Aborted.
(gdb) set print pretty on
(gdb) p/x *((VMCoreInfoState *) vmcoreinfo_realize::vmcoreinfo_state)
$1 = {
  parent_obj = {
    realized = 0x0,
    gpios = {
      lh_first = 0x0
    }
  },
  has_vmcoreinfo = 0x1,
--Type <RET> for more, q to quit, c to continue without paging--
  vmcoreinfo = {
    host_format = 0x0,
    guest_format = 0x1,
    size = 0x1024,
    paddr = 0x1f8c000
  }
}
(gdb)
"""
_WHOLE = (
    b"$1 = {parent_obj = {id = 0x0, realized = false, num_child_bus = 0}, has_vmcoreinfo = false, "
    b"vmcoreinfo = {host_format = 0, guest_format = 1, size = 4132, paddr = 33079296}}\n"
)


@pytest.mark.parametrize(
    "text",
    [
        _HEX,
        b"$1 = {host_format = 0, guest_format = 1, size = 4132, paddr = 33079296}\n",
        b"$1 = {host_format = 0, guest_format = 01, size = 010044, paddr = 0176140000}",
        b"$2 = {host_format = 0x0000, guest_format = 0x0001, size = 0x00001024, paddr = 0x0000000001f8c000}",
        _PRETTY,
        _WHOLE,
        _HEX.replace(b"host_format", b"\x1b[36mhost_format\x1b[m").replace(b"\n", b"\r\n"),
        _HEX.replace(b"0x1024", b"0x7") + _HEX,
    ],
)
def test_output_of_gdb(text: bytes) -> None:
    assert from_gdb(text).entry == _ENTRY and is_entry_text(text) and from_text(text).raw == _ENTRY.pack()


def test_has_vmcoreinfo_of_qemu_is_kept() -> None:
    assert from_gdb(_HEX).has_vmcoreinfo is None and from_gdb(_HEX).present
    assert from_gdb(_PRETTY).has_vmcoreinfo is True
    absent = from_gdb(_WHOLE)
    assert absent.has_vmcoreinfo is False and not absent.present
    assert "has_vmcoreinfo is false" in absent.outcomes[-1].why
    # The flag of one print is not that of the next.
    assert from_gdb(_WHOLE + _HEX).has_vmcoreinfo is None
    document = entry_document(Safe("gdb"), absent, BytesSource(absent.raw))
    findings = findings_of(document)
    assert "the last write was not complete" in findings["E01"].message and "E03" not in findings
    assert findings["E01"].fix is not None
    fixed = findings["E01"].fix.apply(document.state).entry
    assert fixed is not None and fixed.present and fixed.entry == _ENTRY
    assert absent.with_field("size", 5).present


def test_a_switched_off_entry_that_qemu_still_has() -> None:
    """After a DMA from outside memory, the entry is zeroed and stays present."""
    history = from_gdb(_PRETTY.replace(b"guest_format = 0x1", b"guest_format = 0x0"))
    assert history.present and history.entry.guest_format == 0


def test_the_reset_state_was_never_written() -> None:
    history = from_gdb(b"$1 = {host_format = 1, guest_format = 0, size = 0, paddr = 0}")
    assert history.never_written and history.raw == RESET


def test_negative_numbers_wrap() -> None:
    history = from_gdb(b"{host_format = -1, guest_format = 1, size = -1, paddr = -2}")
    assert history.entry == Entry(0xFFFF, 1, (1 << 32) - 1, (1 << 64) - 2)


def test_a_big_endian_host_shows_swapped_fields() -> None:
    history = from_gdb(b"{host_format = 0x0, guest_format = 0x100, size = 0x24100000, paddr = 0xc0f80100000000}")
    assert "E10" in findings_of(entry_document(Safe("gdb"), history, BytesSource(history.raw)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'No symbol "vmcoreinfo_realize" in current context.\n', "debug symbols"),
        (b'No symbol table is loaded.  Use the "file" command.\n', "debug symbols"),
        (b"Cannot access memory at address 0x39\n", "no -device vmcoreinfo"),
        (b"'vmcoreinfo_realize::vmcoreinfo_state' has unknown type; cast it to its declared type\n", "debug symbols"),
        (b"", "no entry"),
        (b"$7 = {host_format = 0 '\\000', guest_format = 1 '\\001', size = 36 '$', paddr = 0 '\\000'}", "no entry"),
        (b"{host_format = 0, guest_format = 1, size = 1000000100100, paddr = 1}", "4 bytes wide"),
        (b"{host_format = 0, guest_format = 1, size = 1, paddr = 0x10000000000000000}", "8 bytes wide"),
    ],
)
def test_error_messages_of_gdb(text: bytes, words: str) -> None:
    with pytest.raises(OpenError, match=words) as error:
        from_gdb(text)
    assert "p/x" in error.value.hint


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        (b"0x0000000100c66000 1024\n", Entry(0, 1, 4132, 0x100C66000)),
        (b"0x011c6000 1024\n", Entry(0, 1, 4132, 0x11C6000)),  # 16 bytes, as 32-bit kernels print it
        (b"c66000 4024", Entry(0, 1, 16420, 0xC66000)),  # older kernels
        (b"0x19c8000 10024\r\n", Entry(0, 1, 65572, 0x19C8000)),
    ],
)
def test_the_pair_in_sysfs(text: bytes, entry: Entry) -> None:
    assert looks_like_pair(text) and is_entry_text(text)
    history = from_text(text)
    assert (history.entry, history.origin) == (entry, "derived")
    assert from_sysfs(b"# cat /sys/kernel/vmcoreinfo\n" + text).entry == entry


@pytest.mark.parametrize(
    "text", [b"", b"hello", b"0x1 0x2", b"1 2 3", b"1 2\n3 4\n", b"f" * 33 + b" 1", b"1" * 20 + b" 1"]
)
def test_texts_that_are_not_a_pair(text: bytes) -> None:
    with pytest.raises(OpenError) as error:
        from_sysfs(text)
    assert error.value.hint


def test_no_entry_that_a_guest_writes_looks_like_a_pair() -> None:
    for entry in (_ENTRY, Entry(0x3030, 1, 1 << 20, 0x3030303030303030), Entry(0, 0, 0, 0)):
        assert not looks_like_pair(entry.pack())


_PARTS = st.sampled_from(
    [b"host_format = ", b"guest_format = ", b"size = ", b"paddr = ", b"has_vmcoreinfo = ", b"0x", b"1", b", ", b"}",
     b"{", b"true", b"-", b"\n", b" ", b"$1 = ", b"--Type <RET> for more", b"--", b"\x1b[1m", _HEX, _WHOLE]
)  # fmt: skip


@given(st.lists(_PARTS | st.binary(max_size=8), max_size=30).map(b"".join))
def test_any_text_is_read_or_refused(text: bytes) -> None:
    for read in (from_gdb, from_sysfs, from_text):
        try:
            history: EntryHistory = read(text)
        except OpenError as error:
            assert str(error).isprintable()
        else:
            assert len(history.raw) == 16
    assert isinstance(is_entry_text(text), bool)


@given(st.from_regex(rb"(0x)?[0-9a-f]{1,34}[ \t]{1,3}[0-9a-f]{1,17}\n?", fullmatch=True))
def test_any_pair_is_read_or_refused(text: bytes) -> None:
    try:
        entry = from_sysfs(text).entry
    except OpenError:
        return
    paddr, size = text.split()
    assert (entry.paddr, entry.size) == (int(paddr, 16), int(size, 16))
