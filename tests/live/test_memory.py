"""Guest memory of a running VM: which pages are read, and what is made of what QEMU prints."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.live.fake_qemu import FakeQemu, printed, serving
from tests.paths import SAMPLES
from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe
from vmci_tui.containers import open_dump
from vmci_tui.layers.file import FileSource
from vmci_tui.live import memory as memory_module
from vmci_tui.live.flat_view import memory_of, ranges_of
from vmci_tui.live.memory import LiveMemory, VmFacts, memory_in
from vmci_tui.live.qemu_view import device_state
from vmci_tui.live.vm import RunningVm, running_vm


def _memory(vm: RunningVm, fake: FakeQemu) -> LiveMemory:
    ranges = ranges_of(fake.map)
    return LiveMemory(vm, memory_of(ranges), "little", VmFacts(True, Safe("running"), True, ranges))


def test_pages_are_those_of_the_guest_and_each_is_read_once(tmp_path: Path) -> None:
    with FileSource(str(SAMPLES / "amd64-cut-note.elf")) as file:
        dump = open_dump(file)
        assert dump is not None
        fake = FakeQemu(dump)
        with serving(fake, tmp_path / "q") as path:
            vm = running_vm(f"qmp:{path}")
            live = _memory(vm, fake)
            item = next(item for item in dump.guest_memory.ranges if item.length > 8192)
            assert live.read(item.paddr + 5, 8000) == dump.guest_memory.read(file, item.paddr + 5, 8000)
            assert live.read(item.paddr, 16) and live.read(item.paddr + 4096, 16)
            assert fake.pages == [item.paddr, item.paddr + 4096]
            assert live.read(item.paddr - 1, 1) == live.read(-1, 4) == b""
            live.forget()
            assert live.read(item.paddr, 1) and len(fake.pages) == 3
            vm.close()


def test_half_a_page_of_ram_is_not_read(tmp_path: Path) -> None:
    fake = FakeQemu()
    fake.map = 'FlatView #0\n AS "memory", root: system\n  ' + f"{0x1000:016x}-{0x27FF:016x} (prio 0, ram): r\n"
    with serving(fake, tmp_path / "q") as path:
        vm = running_vm(f"qmp:{path}")
        live = _memory(vm, fake)
        assert len(live.read(0x1000, 0x1800)) == 0x1000
        assert fake.pages == [0x1000]
        vm.close()


def test_no_more_pages_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "MOST_PAGES", 3)
    fake = FakeQemu()
    with serving(fake, tmp_path / "q") as path:
        vm = running_vm(f"qmp:{path}")
        live = _memory(vm, fake)
        with pytest.raises(OpenError, match="convert"):
            live.read(0, 1 << 20)
        assert len(fake.pages) == 3 == live.pages_read
        vm.close()


def test_printed_words_are_bytes_in_the_order_of_the_machine() -> None:
    data = random.Random(1).randbytes(4096)
    for order in ("little", "big"):
        assert memory_in(printed(0x7000, data, order), 0x7000, 4096, order) == data


@pytest.mark.parametrize(
    "text",
    [
        "", "Cannot access memory", 7, None,
        printed(0x7000, bytes(4088)), printed(0x7000, bytes(4104)), printed(0x8000, bytes(4096)),
        printed(0x7000, bytes(4096)).replace("0x0", "0xg", 1), printed(0x7000, bytes(4096)) * 2,
    ],
)  # fmt: skip
def test_what_is_not_a_page(text: object) -> None:
    assert memory_in(text, 0x7000, 4096, "little") is None


def test_the_state_of_devices_comes_by_a_file_without_a_name(tmp_path: Path) -> None:
    fake = FakeQemu()
    with serving(fake, tmp_path / "q") as path:
        vm = running_vm(f"qmp:{path}")
        assert device_state(vm) == fake.devices
        vm.close()
        assert (vm.stops.times, round(vm.stops.milliseconds, 2)) == (1, 0.8)
    assert fake.names[1:] == ["add-fd", "xen-save-devices-state", "remove-fd"]
    assert [name.name for name in tmp_path.iterdir()] == ["q"]
