"""Test what a process of its own reads of a kernel's tables, over the pages of a real guest."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from tests.opened_files import open_document
from tests.paths import DATA, SAMPLES
from vmci_tui.adoption import kernel_facts
from vmci_tui.adoption.apart.kernel import kernel_apart
from vmci_tui.adoption.kernel_facts import KernelFound, kernel_found
from vmci_tui.common.errors import Cancelled
from vmci_tui.containers.guest import guest_of
from vmci_tui.document.document import Document
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.running_kernel import NotKnown
from vmci_tui.kernel.symbols.modules import Module, ModuleSymbol
from vmci_tui.layers.file import FileSource
from vmci_tui.render.kernel.address_words import symbol_words

_STEXT = 0xFFFFFFFFB1C00000
"""The first address of this guest's code."""


def _wait() -> None:
    """Let the process go on."""


@pytest.fixture
def guest_dump(tmp_path: Path) -> Document:
    path = tmp_path / "guest.elf"
    path.write_bytes(lzma.decompress((DATA / "kernels" / "amd64-61.elf.xz").read_bytes()))
    return open_document(str(path))


def test_a_process_says_what_this_one_would(guest_dump: Document) -> None:
    assert guest_dump.dump is not None and isinstance(guest_dump.source, FileSource)
    text = Vmcoreinfo(b"SYMBOL(_stext)=%x\nPAGESIZE=4096\nSYMBOL(linux_banner)=1\nX=1\n" % _STEXT)
    apart, here = kernel_apart(guest_dump.source, text, _wait), kernel_found(text, guest_of(guest_dump.dump))
    assert isinstance(apart, KernelFound) and isinstance(here, KernelFound)
    assert apart.facts == here.facts and apart.facts is not None and not apart.facts.lacks(text)
    verdicts = [line.verdict for line in apart.facts.lines(text)]
    assert verdicts == ["confirmed", "confirmed", "contradicted", "unknown"]
    assert len(apart.symbols) == len(here.symbols) and apart.symbols.start == here.symbols.start == _STEXT
    assert apart.symbols.spot(_STEXT + 0x12345) == here.symbols.spot(_STEXT + 0x12345)


def test_without_a_text_there_are_symbols_alone(guest_dump: Document) -> None:
    assert guest_dump.dump is not None
    found = kernel_found(None, guest_of(guest_dump.dump))
    assert isinstance(found, KernelFound) and found.facts is None and found.symbols.named(b"_stext")


def test_addresses_in_modules_are_looked_up_too(guest_dump: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    assert guest_dump.dump is not None
    start = 0xFFFFFFFFC0001000
    module = Module(b"loop", ((start, 0x1000),), (ModuleSymbol(start + 0x10, b"loop_init"),))
    monkeypatch.setattr(kernel_facts, "loaded_modules", lambda _kernel: (module,))
    found = kernel_found(None, guest_of(guest_dump.dump))
    assert isinstance(found, KernelFound)
    assert symbol_words(found, start + 0x12) == "loop_init+0x2 [loop]"


def test_a_dump_without_tables_has_a_reason() -> None:
    document = open_document(str(SAMPLES / "amd64-cut-note.elf"))
    assert isinstance(document.source, FileSource)
    assert isinstance(kernel_apart(document.source, document.state.vmcoreinfo, _wait), NotKnown)


def test_a_stop_ends_the_process(guest_dump: Document) -> None:
    def stop() -> None:
        raise Cancelled("stopped")

    assert isinstance(guest_dump.source, FileSource)
    with pytest.raises(Cancelled):
        kernel_apart(guest_dump.source, None, stop)
