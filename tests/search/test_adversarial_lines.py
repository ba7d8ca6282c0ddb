"""Test notes with one false line in the memory of a real guest: the line is named, and the true note is taken.

Two witnesses prove such a note too, so the kernel's own tables judge each of its lines.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.kernel.cut_guests import unpacked
from tests.kit import opened
from tests.opened_files import open_document
from vmci_tui.adoption import choose as adopt
from vmci_tui.adoption.choose import search
from vmci_tui.adoption.rank import choose, why_not
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import guest_of
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.running_kernel import NotKnown, RunningKernel
from vmci_tui.kernel.lines.gather import running_kernel
from vmci_tui.kernel.lines.prove_lines import prove_lines
from vmci_tui.search.candidate import RankedCandidate

_SEEDS = range(60)


class _Judged:
    """The guest's dump, its true text, where in the file the note and the page have it, and the kernel's tables."""

    def __init__(self, path: Path, text: Vmcoreinfo, note_at: int, copy_at: int, kernel: RunningKernel) -> None:
        self.path, self.text, self.note_at, self.copy_at, self.kernel = path, text, note_at, copy_at, kernel


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> _Judged:
    path = unpacked("amd64-61", tmp_path_factory.mktemp("guest"))
    dump = opened(path.read_bytes()).dump
    assert dump is not None
    memory = guest_of(dump)
    best = search(memory, no_progress)[0]
    kernel, copy_at = running_kernel(memory, None), memory.offset_of(best.copies[0])
    assert not isinstance(kernel, NotKnown) and copy_at is not None and best.candidate.offset is not None
    note_at = best.candidate.offset + best.candidate.raw.index(best.candidate.text)
    return _Judged(path, best.candidate.vmcoreinfo, note_at, copy_at, kernel)


def _twin(text: Vmcoreinfo, seed: int) -> tuple[bytes, bytes]:
    """Return the text with one digit of one value changed, and the key of that line."""
    chosen = random.Random(seed)
    lines = [line for line in text.lines if line.key is not None and line.value is not None]
    line = chosen.choice([one for one in lines if any(48 <= byte < 58 for byte in one.value or b"")])
    assert line.key is not None and line.value is not None
    value = bytearray(line.value)
    at = chosen.choice([at for at, byte in enumerate(value) if 48 <= byte < 58])
    value[at] = chosen.choice([digit for digit in b"0123456789" if digit != value[at]])
    return text.with_value(line.key, bytes(value)).text, line.key


def test_no_line_of_the_true_note_is_contradicted(guest: _Judged) -> None:
    assert {line.verdict for line in prove_lines(guest.kernel, guest.text)} == {"confirmed"}


@pytest.mark.parametrize("seed", _SEEDS)
def test_the_false_line_of_a_twin_is_named_with_its_true_value(guest: _Judged, seed: int) -> None:
    twin, key = _twin(guest.text, seed)
    (wrong,) = [line for line in prove_lines(guest.kernel, Vmcoreinfo(twin)) if line.verdict == "contradicted"]
    assert (wrong.key, wrong.found) == (key, guest.text.get(key))


def _searched(guest: _Judged, places: dict[int, bytes], folder: Path) -> tuple[RankedCandidate, ...]:
    """Search the guest's memory with texts at these offsets of the file."""
    copy, data = folder / "dump.elf", bytearray(guest.path.read_bytes())
    for at, text in places.items():
        data[at : at + len(text)] = text
    copy.write_bytes(data)
    with open_document(str(copy)) as document:
        assert document.dump is not None
        return search(guest_of(document.dump), no_progress)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("place", ["copy", "note"])
def test_the_lines_say_which_of_two_twins_in_memory_is_the_note(
    guest: _Judged, seed: int, place: str, tmp_path: Path
) -> None:
    twin, key = _twin(guest.text, seed)
    found = _searched(guest, {guest.copy_at if place == "copy" else guest.note_at: twin}, tmp_path)
    chosen = choose(found)
    assert chosen is found[0] and chosen.candidate.text == guest.text.text
    (other,) = [one for one in found if one.candidate.text == twin]
    assert other.proof.proved is False and key.decode() in other.why


@pytest.mark.parametrize("large", [False, True])
def test_of_two_twins_with_wrong_lines_none_is_chosen(
    guest: _Judged, large: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In large memory too, where the kernel's own pointers name them."""
    monkeypatch.setattr(adopt, "LARGE", 0 if large else adopt.LARGE)
    one, other = (guest.text.with_value(b"SIZE(list_head)", value).text for value in (b"17", b"18"))
    found = _searched(guest, {guest.copy_at: one, guest.note_at: other}, tmp_path)
    assert choose(found) is None and why_not(found).startswith("memory proves two that differ: ")


def test_in_large_memory_the_lines_say_that_the_note_is_right_and_its_page_is_not(
    guest: _Judged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopt, "LARGE", 0)
    monkeypatch.setattr(adopt, "find", pytest.fail)
    (named,) = _searched(guest, {guest.copy_at: guest.text.with_value(b"SIZE(list_head)", b"17").text}, tmp_path)
    assert named.found_by == "kernel" and named.candidate.text == guest.text.text and "none of its lines" in named.why
