"""Test what a process of its own reads of a kernel's tables, over the pages of a real guest."""

from __future__ import annotations

import lzma
import pickle
from pathlib import Path

import pytest

from tests.opened_files import open_document
from tests.paths import DATA, SAMPLES
from vmci_tui.adoption.apart.kernel import kernel_apart
from vmci_tui.adoption.kernel_facts import KernelFound, kernel_found
from vmci_tui.adoption.text_to_read import text_to_read
from vmci_tui.common.errors import Cancelled
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import guest_of
from vmci_tui.document.document import Document
from vmci_tui.kernel.lines.running_kernel import NotKnown
from vmci_tui.layers.file import FileSource


def _wait() -> None:
    """Let the process go on."""


@pytest.fixture
def guest_dump(tmp_path: Path) -> Document:
    path = tmp_path / "guest.elf"
    path.write_bytes(lzma.decompress((DATA / "kernels" / "amd64-61.elf.xz").read_bytes()))
    return open_document(str(path))


def test_a_process_says_what_this_one_would(guest_dump: Document) -> None:
    assert guest_dump.dump is not None and isinstance(guest_dump.source, FileSource)
    guest = guest_of(guest_dump.dump)
    text = text_to_read(None, guest, no_progress).text
    assert text is not None
    apart, here = kernel_apart(guest_dump.source, text, _wait), kernel_found(text, guest)
    assert isinstance(apart, KernelFound) and isinstance(here, KernelFound)
    assert apart.facts == here.facts and apart.facts is not None and not apart.facts.lacks(text)
    assert list(apart.symbols) == list(here.symbols) and apart.symbols.start == here.symbols.start
    verdicts = {line.key: line.verdict for line in apart.facts.lines(text)}
    assert verdicts[b"SYMBOL(_stext)"] == verdicts[b"OSRELEASE"] == "confirmed"
    assert "contradicted" not in verdicts.values()


def test_without_a_text_there_are_symbols_alone(guest_dump: Document) -> None:
    assert isinstance(guest_dump.source, FileSource)
    found = kernel_apart(guest_dump.source, None, _wait)
    assert isinstance(found, KernelFound) and found.facts is None and found.symbols.named(b"_stext")
    again = pickle.loads(pickle.dumps(found.symbols))
    stext = found.symbols.address(b"_stext")
    assert stext is not None and again.spot(stext + 1) == found.symbols.spot(stext + 1)


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
