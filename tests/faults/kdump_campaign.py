"""Run cases of `mutate_kdump` by `cases`."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from itertools import islice
from random import Random

from tests.faults.cases import run_part
from tests.faults.exercise import printable
from tests.faults.mutate_kdump import case
from tests.kit import become
from vmci_tui.common.errors import VmciError
from vmci_tui.common.progress import no_progress
from vmci_tui.containers import open_dump
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.containers.kdump.dump import KdumpDump
from vmci_tui.document import edit_headers, edit_notes
from vmci_tui.document.byte_map import Places
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.findings.judgement import Judgement
from vmci_tui.formats.header_text import saved_order
from vmci_tui.layers.file import FileSource
from vmci_tui.layers.image import ImageSource
from vmci_tui.opening.open_file import open_document
from vmci_tui.render import dump_report as report
from vmci_tui.render.finding_report import findings_text
from vmci_tui.saving.plan import plan_copy, plan_in_place
from vmci_tui.saving.unflatten import unflatten
from vmci_tui.saving.verify import check_saved

_TEXTS = (b"OSRELEASE=6.1.0\nPAGESIZE=4096\n", b"KEY(of.a.long.name)=0123456789\n" * 300)
_PLAIN_LIMIT = 1 << 20


def exercise(path: str, rng: Random, seen: Counter[str]) -> None:
    """Open the file, compute all reports, read its memory, edit it, lay it out in each way. Allow only VmciError."""
    try:
        document = open_document(path)
    except VmciError as error:
        printable(str(error), "the refusal")
        assert error.message, "a refusal has words"
        seen["refused"] += 1
        return
    try:
        dump = document.dump
        if not isinstance(dump, KdumpDump):
            seen["something else"] += 1
            return
        seen[f"opened {dump.container}"] += 1
        seen["with doubts"] += bool(dump.doubts)
        _look(document, rng)
        _read(dump, rng, seen)
        _edit(document, dump, rng, seen)
        _keep(document, dump, rng, seen)
        if dump.container == "flattened" and dump.plain.size < _PLAIN_LIMIT:
            assert isinstance(document.source, FileSource)
            out = path + ".plain"
            done = unflatten(document.source, out)
            with open(out, "rb") as file:
                made, plain = file.read(), dump.plain.read(0, dump.plain.size)
            if done.faults:  # its status then says that it is incomplete
                at, length, _ = dump.header.form.header.span("status")
                made, plain = (data[:at] + data[at + length :] for data in (made, plain))
            assert made == plain and done.size == dump.plain.size
            os.unlink(out)
            seen["made plain"] += 1
    finally:
        document.close()


def _look(document: Document, rng: Random) -> None:
    for line in report.show_text(document):
        printable(line, "a line of show")
    printable(json.dumps(report.show_json(document), ensure_ascii=False), "JSON")
    found = Judgement.of(document).found
    for line in findings_text(found):
        printable(line, "a line of check")
    printable(json.dumps(report.findings_json(found), ensure_ascii=False), "JSON")
    layout, at = document.layout, 0
    for region in layout.regions:
        assert at <= region.offset and region.length > 0, "regions are sorted and disjoint"
        at = region.end
    assert at <= layout.image.size == document.source.size
    places = Places(document)
    for _ in range(30):
        offset = rng.randrange(document.source.size)
        place = places.at(offset)
        assert place.offset <= offset < place.end
        printable(place.label, "the name of a place")


def _some_pages(guest: Guest, size: int) -> dict[int, bytes | None]:
    out: dict[int, bytes | None] = {}
    for item in guest.memory.ranges[:16]:
        for paddr in {item.paddr, item.paddr + (item.length - size) // size * size}:
            out[paddr] = guest.read(paddr, size)
    return out


def _read(dump: KdumpDump, rng: Random, seen: Counter[str]) -> None:
    size, guest = dump.header.block_size, guest_of(dump)
    pages = _some_pages(guest, size)
    seen["pages"] += sum(page is not None for page in pages.values())
    seen["pages that are damaged"] += sum(page is None for page in pages.values())
    assert all(page is None or len(page) == size for page in pages.values())
    for paddr, head in islice(dump.pages.heads(64), 64):
        assert len(head) <= 64
        page = guest.read(paddr, size)
        assert page is None or page.startswith(head)
    for _ in range(5):
        paddr, length = rng.getrandbits(rng.choice((16, 32, 63))), rng.randrange(10_000)
        data = guest.read(paddr, length)
        assert data is None or len(data) == length
        list(islice(dump.pages.data_ranges(paddr, paddr + (1 << 30)), 10))


def _edit(document: Document, dump: KdumpDump, rng: Random, seen: Counter[str]) -> None:
    for text in _TEXTS:
        try:
            state = edit_notes.append_text(document.state, text, dump.order)
            state = edit_headers.set_header(state, "release", b"6.1.0")
            state = edit_headers.set_phys_base(state, rng.getrandbits(dump.bits))
            if rng.random() < 0.3:
                state = edit_headers.make_plain(state)
            document.edit(become(state))
            plans = [plan_copy(document)]
            if not state.choice.plain:
                plans.append(plan_in_place(document))
        except VmciError as error:
            printable(str(error), "why it cannot be saved")
            seen["not saved"] += 1
            continue
        for plan in plans:
            for line in report.plan_text(plan, document.source):
                printable(line, "a line of the plan")
            layout = dump.layout(state.of_dump._replace(in_place=plan.strategy != "copy"))
            again = open_dump(ImageSource(layout.base or document.source, layout.image))
            assert isinstance(again, KdumpDump)
            assert any(note.desc == text for note in again.notes), "the note is there"
            assert again.header_fields.utsname[2] == b"6.1.0"
            assert (again.header.pfns, again.header.descriptors) == (dump.header.pfns, dump.header.descriptors)
            seen[f"saved: {plan.strategy}"] += 1
    while document.undo():
        pass
    assert document.state == document.opened


def _keep(document: Document, dump: KdumpDump, rng: Random, seen: Counter[str]) -> None:
    """Assert that editing only the header keeps notes, text and eraseinfo."""
    try:
        document.edit(Edit.of(edit_headers.set_phys_base, rng.getrandbits(dump.bits)))
        for in_place in (False, True):
            layout = dump.layout(document.state.of_dump._replace(in_place=in_place))
            again = open_dump(ImageSource(layout.base or document.source, layout.image))
            assert isinstance(again, KdumpDump)
            order = saved_order(dump.notes)
            if [note.desc for note in again.notes] != [dump.notes[index].desc for index in order]:
                # Junk pointers may then be parsed in another form: saving reads the result back and refuses it.
                check_saved(
                    dump, document.state, ImageSource(layout.base or document.source, layout.image), 0, no_progress
                )
                raise AssertionError("a note is lost, and the save does not see it")
            (offset, size), header = dump.header.eraseinfo, dump.header
            taken = ((0, header.block_size + 104), header.notes, header.vmcoreinfo)
            apart = all(offset >= at + length or offset + size <= at for at, length in taken)
            if apart and offset + size <= dump.plain.size:
                assert again.plain.read(*again.header.eraseinfo) == dump.plain.read(offset, size)
            seen["kept"] += 1
    except VmciError as error:
        printable(str(error), "why it cannot be saved")
    while document.undo():
        pass


def one(folder: str, seed: int, number: int, seen: Counter[str]) -> None:
    """Write the case and exercise it."""
    path = os.path.join(folder, "case")
    with open(path, "wb") as file:
        file.write(case(seed, number))
    exercise(path, Random(number), seen)


if __name__ == "__main__":
    raise SystemExit(run_part(sys.argv[1:], one))
