"""Proof on whole dumps: each `NAME.elf` with its guest's own text in `NAME.text`, and the three of test_full.py.

Collected only where VMCI_FULL_DUMPS names a folder with some; see conftest.py.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.opened_files import open_document
from tests.proof.guests import falsified, text_at, wrong_symbols
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.proof import check, prove
from vmci_tui.proof.running_kernel import roots_of, runs

_FOLDER = Path(os.environ["VMCI_FULL_DUMPS"])
_NOTES = {"amd64-nonote": 0x19C8000, "arm64-nonote": 0x42730000, "s390x-nonote": 0x1A6C000}


def _whole() -> list[str]:
    names = {path.stem for path in _FOLDER.glob("*.elf")}
    return sorted(name for name in names if name in _NOTES or (_FOLDER / f"{name}.text").exists())


@pytest.fixture(params=_whole())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _opened(name: str) -> tuple[Guest, Vmcoreinfo]:
    dump = open_document(str(_FOLDER / f"{name}.elf")).dump
    assert dump is not None
    guest = guest_of(dump)
    if name in _NOTES:
        return guest, text_at(guest, _NOTES[name])
    return guest, Vmcoreinfo((_FOLDER / f"{name}.text").read_bytes())


def test_the_guests_own_text_is_proved(name: str) -> None:
    guest, text = _opened(name)
    check(text, guest)
    started = time.thread_time()
    proof = check(text, guest).proof
    assert time.thread_time() - started < 0.02
    assert proof.proved is True, proof.why


def test_a_wrong_value_is_disproved_and_the_right_one_found(name: str) -> None:
    guest, text = _opened(name)
    for what, wrong, right in falsified(text):
        proof = prove(wrong, guest)
        assert proof.proved is False, (what, proof)
        assert {item.key: item.value for item in proof.corrections} == right, (what, proof)


def test_a_wrong_address_is_neither_proved_nor_corrected(name: str) -> None:
    guest, text = _opened(name)
    for what, wrong in wrong_symbols(text):
        proof = prove(wrong, guest)
        assert proof.proved is not True, (what, proof)
        assert not proof.corrections, (what, proof)


@pytest.mark.parametrize("name", [name for name in _whole() if name.startswith(("amd64", "i386"))], indirect=True)
def test_the_processors_run_the_kernel_that_the_text_describes(name: str) -> None:
    guest, text = _opened(name)
    dump = open_document(str(_FOLDER / f"{name}.elf")).dump
    assert dump is not None and runs(text, guest, roots_of(dump.notes)) is True
