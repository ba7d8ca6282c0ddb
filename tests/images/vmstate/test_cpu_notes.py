"""Test that the notes made of CPUs in a stream are those of QEMU's own dump of the same stopped guest."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from tests.paths import DATA
from tests.zstd import zstd
from vmci_tui.common.errors import OpenError
from vmci_tui.formats.elf_note import Note, parse_notes
from vmci_tui.formats.registers.decode import register, registers_of
from vmci_tui.images.vmstate.cpu_notes import Cpus, read_cpus
from vmci_tui.images.vmstate.description import Description

_GUESTS = (
    "amd64 q35, QEMU 7.2", "amd64 microvm, QEMU 10.0", "i386 pc, QEMU 7.2", "i386 guest of qemu-system-x86_64 7.2",
    "arm64 virt, cortex-a57, QEMU 7.2", "arm64 virt, -cpu max, QEMU 7.2", "arm64 virt, -cpu max, QEMU 10.0",
    "arm virt, cortex-a15, QEMU 7.2", "arm virt, cortex-a15, QEMU 10.0", "arm64, restored, QEMU 7.2",
    "ppc64 pseries, before the kernel runs, QEMU 7.2", "ppc64le pseries, QEMU 7.2", "riscv64 virt, QEMU 7.2",
    "s390x, QEMU 7.2",
)  # fmt: skip
"""Guests that ran for some seconds, were stopped, streamed and dumped: their CPUs, and the notes of the dump."""
_SVE = 0x405


@cache
def _recorded() -> Mapping[str, Any]:
    recorded: Mapping[str, Any] = json.loads(zstd.decompress((DATA / "cpu-states.json.zst").read_bytes()))
    return recorded


def _description(name: str) -> Description:
    return Description.of(json.dumps(_recorded()[name]["description"]).encode())


def _states(name: str) -> dict[int, bytes]:
    return {int(instance): bytes.fromhex(data) for instance, data in _recorded()[name]["states"].items()}


def _made(name: str) -> Cpus:
    return read_cpus(_states(name), _description(name))


def _true_notes(name: str) -> tuple[Note, ...]:
    guest = _recorded()[name]
    return parse_notes(bytes.fromhex(guest["notes"]), guest["order"])


def test_all_recorded_guests_are_tested() -> None:
    assert set(_recorded()) == set(_GUESTS)


@pytest.mark.parametrize("name", _GUESTS)
def test_notes_are_those_of_qemus_dump(name: str) -> None:
    made, true = _made(name), [note for note in _true_notes(name) if note.type != _SVE]
    assert (made.machine, made.order) == (_recorded()[name]["machine"], _recorded()[name]["order"])
    assert made.number == len(_states(name))
    if made.machine == "s390x":  # QEMU writes the number of the CPU in the host's byte order
        true = [note.with_desc(_pid_swapped(note.desc)) if note.type == 1 else note for note in true]
    assert [note.raw for note in made.notes] == [note.raw for note in true]


def _pid_swapped(desc: bytes) -> bytes:
    return desc[:32] + desc[32:36][::-1] + desc[36:]


@pytest.mark.parametrize("name", _GUESTS)
def test_a_note_that_is_left_out_is_said(name: str) -> None:
    assert any(note.type == _SVE for note in _true_notes(name)) == bool(_made(name).doubts)


def test_the_truth_has_registers_that_are_not_zero() -> None:
    for name in _GUESTS:
        found = [registers_of(note, _recorded()[name]["machine"]) for note in _made(name).notes]
        counters = [one.value for registers in found if (one := register(registers, "pc"))]
        assert any(counters) and all(found), name


def test_a_stream_without_description_has_no_notes_and_says_so() -> None:
    made = read_cpus({0: b"x" * 100, 1: b"x" * 100}, None)
    assert (made.number, made.machine, made.notes) == (2, None, ()) and made.doubts
    assert read_cpus({}, None).doubts


def test_a_cpu_that_is_cut_has_no_notes_and_the_others_have() -> None:
    name = "amd64 q35, QEMU 7.2"
    states = _states(name)
    states[1] = states[1][:-1]
    made = read_cpus(states, _description(name))
    pids = [one.value for note in made.notes for one in registers_of(note, "x86_64") if one.name == "pid"]
    assert (made.number, pids) == (3, [1, 3])
    assert "CPU 1" in made.doubts[0]


def test_cpus_of_an_unknown_machine_have_no_notes() -> None:
    devices = {"devices": [{"name": "cpu", "instance_id": 0, "fields": [{"name": "env.a", "type": "x", "size": 4}]}]}
    made = read_cpus({0: b"abcd"}, Description.of(json.dumps(devices).encode()))
    assert (made.machine, made.notes, len(made.doubts)) == (None, (), 1)


def test_damaged_descriptions_give_notes_or_a_doubt() -> None:
    chance = random.Random(17)
    for name in _GUESTS[::3]:
        text = json.dumps(_recorded()[name]["description"]).encode()
        for _ in range(12):
            damaged = bytearray(text)
            for _ in range(3):
                damaged[chance.randrange(len(damaged))] = chance.choice(b'0129"{}[],:-e')
            try:
                made = read_cpus(_states(name), Description.of(bytes(damaged)))
            except OpenError:
                continue
            assert made.notes or made.doubts
