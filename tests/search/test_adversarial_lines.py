"""Test notes with one false line in the memory of a real guest: none is adopted without asking, and the line is named.

Two witnesses prove such a note too, so the kernel's own tables judge each of its lines.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.kernel.cut_guests import unpacked
from tests.kit import opened
from tests.opened_files import open_document
from vmci_tui.adoption.choose import search
from vmci_tui.adoption.rank import choose
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import guest_of
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.lines.gather import running_kernel
from vmci_tui.kernel.lines.prove_lines import prove_lines
from vmci_tui.kernel.lines.running_kernel import NotKnown, RunningKernel

_SEEDS = range(60)


class _Judged:
    """The guest's dump, its true text and where its copy without a header is, and the kernel that judges lines."""

    def __init__(self, path: Path, text: Vmcoreinfo, copy_at: int, kernel: RunningKernel) -> None:
        self.path, self.text, self.copy_at, self.kernel = path, text, copy_at, kernel


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> _Judged:
    path = unpacked("amd64-61", tmp_path_factory.mktemp("guest"))
    dump = opened(path.read_bytes()).dump
    assert dump is not None
    memory = guest_of(dump)
    best = search(memory, no_progress)[0]
    kernel, copy_at = running_kernel(memory, None), memory.offset_of(best.copies[0])
    assert not isinstance(kernel, NotKnown) and copy_at is not None
    return _Judged(path, best.candidate.vmcoreinfo, copy_at, kernel)


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


@pytest.mark.parametrize("seed", range(4))
def test_a_twin_in_memory_is_not_adopted_without_asking(guest: _Judged, seed: int, tmp_path: Path) -> None:
    twin, _ = _twin(guest.text, seed)
    copy = tmp_path / "dump.elf"
    data = bytearray(guest.path.read_bytes())
    data[guest.copy_at : guest.copy_at + len(twin)] = twin
    copy.write_bytes(data)
    with open_document(str(copy)) as document:
        assert document.dump is not None
        chosen = choose(search(guest_of(document.dump), no_progress))
        assert chosen is None or chosen.candidate.text == guest.text.text
