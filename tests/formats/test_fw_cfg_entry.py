"""Test the entry and its writes against 4,353 recorded cases of a real QEMU."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.paths import DATA
from vmci_tui.common.errors import EditError
from vmci_tui.formats.fw_cfg_entry import FIELDS, LENGTH, RESET, Entry, EntryHistory, Write, linux_size, parse_number

_CASES = DATA / "qemu-writes.jsonl.gz"
GOOD = Entry(0, 1, 4132, 0x200000).pack()
WHOLE = Write(0, 16, GOOD)


def history(*writes: Write) -> EntryHistory:
    return EntryHistory("writes", writes)


def test_presence_agrees_with_every_case_of_a_real_qemu() -> None:
    """Each line is a case: the write, and whether QEMU then warned `guest note is not present`."""
    count = 0
    with gzip.open(_CASES, "rt") as lines:
        for number, line in enumerate(lines, 1):
            write, absent = json.loads(line)
            count += 1
            made = () if write is None else (Write(write[0], write[1], bytes.fromhex(write[2])),)
            assert history(*made).present is not absent, f"line {number}: {line}"
    assert count == 4353


@pytest.mark.parametrize("offset", range(17))
@pytest.mark.parametrize("length", range(18))
def test_only_a_full_write_at_offset_0_counts(offset: int, length: int) -> None:
    data = (GOOD * 2)[offset : offset + length]
    outcome = history(Write(offset, length, data)).outcomes[0]
    if length == 0:
        assert (outcome.result, outcome.raw) == ("ignored", RESET)
    elif offset + length > LENGTH:
        assert (outcome.result, outcome.raw) == ("DMA error", RESET)
    elif (offset, length) == (0, 16):
        assert (outcome.result, outcome.raw) == ("present", GOOD)
    else:
        assert outcome.result == "not present"
        assert outcome.raw == RESET[:offset] + data + RESET[offset + length :]
    assert outcome.present is (outcome.result == "present")


def test_two_half_writes_do_not_count() -> None:
    both = history(Write(0, 8, GOOD[:8]), Write(8, 8, GOOD[8:]))
    assert both.raw == GOOD and not both.present


def test_a_partial_write_makes_a_present_note_absent() -> None:
    after = history(WHOLE, Write(4, 4, GOOD[4:8]))
    assert [outcome.result for outcome in after.outcomes] == ["present", "not present"]
    assert after.raw == GOOD


def test_a_write_past_the_end_changes_nothing() -> None:
    after = history(WHOLE, Write(0, 17, bytes(17)))
    assert after.outcomes[-1].result == "DMA error"
    assert after.present and after.raw == GOOD


def test_a_dma_from_outside_memory_zeroes_the_entry_and_keeps_it_present() -> None:
    after = history(WHOLE, Write(0, 16, None))
    assert after.outcomes[-1].result == "DMA error"
    assert after.present and after.raw == bytes(16)
    assert not history(Write(0, 16, None)).present


def test_a_write_of_no_bytes_is_ignored_wherever_it_points() -> None:
    for offset in (0, 16, 17, 4096):
        after = history(WHOLE, Write(offset, 0, b""))
        assert after.outcomes[-1].result == "ignored" and after.present


def test_guest_format_0_switches_the_note_off_and_an_unknown_one_does_not() -> None:
    assert not history(WHOLE, Write(0, 16, Entry(0, 0, 4132, 0).pack())).present
    assert history(Write(0, 16, Entry(0, 7, 4132, 0).pack())).present


def test_the_reset_state_was_never_written() -> None:
    blob = EntryHistory.of_blob(RESET)
    assert blob.never_written and not blob.present and blob.raw == RESET
    assert history().never_written and history(Write(3, 0, b"")).never_written
    assert not EntryHistory.of_blob(GOOD).never_written
    assert not EntryHistory.of_blob(b"").never_written, "an empty file is no guest that was silent"


@pytest.mark.parametrize("length", [0, 1, 15, 17, 40])
def test_a_blob_of_another_length_is_a_write_that_does_not_count(length: int) -> None:
    blob = EntryHistory.of_blob((GOOD * 3)[:length])
    assert not blob.present
    assert blob.entry == Entry.parse((GOOD * 3)[:length])


def test_a_field_is_set_by_one_full_write_within_its_width() -> None:
    for field in FIELDS:
        top = (1 << 8 * field.length) - 1
        changed = EntryHistory.of_blob(GOOD).with_field(field.name, top)
        assert getattr(changed.entry, field.name) == top and len(changed.writes) == 1
        assert changed.raw[field.offset : field.offset + field.length] == b"\xff" * field.length
        for bad in (-1, top + 1):
            with pytest.raises(EditError, match=field.name):
                changed.with_field(field.name, bad)
    assert len(history(WHOLE).with_field("size", 12).writes) == 2
    with pytest.raises(EditError, match="no field"):
        history().with_field("paddr2", 0)


def test_numbers_as_users_type_them() -> None:
    assert [parse_number(t) for t in ("12", "0x1F", " 0X10 ", "1_000", "-1")] == [12, 31, 16, 1000, -1]
    for bad in ("", "0x", "12k", "1.5", "ten"):
        with pytest.raises(EditError):
            parse_number(bad)


def test_what_linux_announces() -> None:
    assert [linux_size(page) for page in (4096, 16384, 65536)] == [4132, 16420, 65572]
