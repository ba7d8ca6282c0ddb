"""libkdumpfile by the version of drgn that it comes with: the files on which releases differ, each as it was run."""

import lzma
import random

import pytest

from tests.paths import DATA
from tests.real.agreement.kdump_bases import base
from tests.real.agreement.kdump_cases import cases
from tests.real.agreement.kdump_flat import flatten
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers import drgn, libkdumpfile
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import judge

_ARMHF, _I386 = "lkd-armhf-sigsegv.elf", "lkd-i386-sigsegv-021.elf"
_GROWN, _CUT_EARLY, _CUT_LATE = "lkd-raw-not-set-022.kdump", "crash-802-sigbus.kdump", "crash-806-refuses-cut.kdump"
_NOT_SET = "kdump_vmcoreinfo_raw: linux.vmcoreinfo.raw is not set"
_NO_MACHINE = "kdump_get_string_attr(KDUMP_ATTR_ARCH_NAME): Key has no value"
_NO_BITMAP = (
    "kdump_set_number_attr(KDUMP_ATTR_FILE_FD): file #0: file #0: Cannot read 131072 bytes of page bitmap at 143360"
)


def _view(name: str) -> View:
    return View(BytesSource(lzma.decompress((DATA / "versions" / f"{name}.xz").read_bytes())))


@pytest.mark.parametrize(
    ("name", "version", "says"),
    [
        # The page tables of arm came with 0.5.2, and with them a death.
        (_ARMHF, "0.0.22", "prog['VMCOREINFO'] has 2833 bytes of text"),
        (_ARMHF, "0.0.25", "killed by SIGSEGV"),
        (_ARMHF, "0.3.0", "killed by SIGSEGV"),
        (_I386, "0.0.21", "killed by SIGSEGV"),
        (_I386, "0.0.22", "prog['VMCOREINFO'] has 2852 bytes of text"),
        (_I386, "0.3.0", "prog['VMCOREINFO'] has 2852 bytes of text"),
        # A note behind the blocks of the sub-header looks like one of a padded sub-header.
        (_GROWN, "0.0.22", "prog['VMCOREINFO'] has 3878 bytes of text"),
        (_GROWN, "0.0.25", _NOT_SET),
        (_GROWN, "0.3.0", _NOT_SET),
        (_CUT_EARLY, "0.0.22", _NO_MACHINE),
        (_CUT_EARLY, "0.0.25", _NO_MACHINE),
        (_CUT_EARLY, "0.0.31", _NO_BITMAP),
        (_CUT_LATE, "0.0.22", "killed by SIGBUS"),
        (_CUT_LATE, "0.0.25", _NO_MACHINE),
        (_CUT_LATE, "0.3.0", _NO_MACHINE),
    ],
)
def test_a_version_says_what_it_said_when_run(name: str, version: str, says: str) -> None:
    view = _view(name)
    verdicts = [judge(libkdumpfile.READER.at(version), view)]
    if name.endswith(".kdump"):
        verdicts.append(judge(drgn.READER.at(version), view))
    for verdict in verdicts:
        assert verdict.says == says
        assert (verdict.osrelease is not None) == bool(verdict.accepts) == says.startswith("prog")


@pytest.mark.parametrize("name", ["i386-behind-padded", "armhf-padded"])
def test_a_padded_sub_header_is_read_from_0_5_2_on(name: str) -> None:
    view = View(BytesSource(base(name).bytes(random.Random(1))))
    old = judge(drgn.READER.at("0.0.22"), view)
    assert (old.accepts, old.says) == (False, _NOT_SET)
    assert old.decisive is not None and old.decisive.rule.name == "sub-header-always-packed"
    assert all(judge(drgn.READER.at(version), view).accepts for version in ("0.0.25", "0.3.0"))


def _flat(data: bytes) -> View:
    return View(BytesSource(flatten(random.Random(3), data).bytes()))


def test_a_flattened_elf_dump_is_known_from_0_5_5_on() -> None:
    view = _flat(_view(_I386).read(0, 1 << 20))
    verdicts = [judge(drgn.READER.at(version), view) for version in ("0.0.25", "0.0.31", "0.3.0")]
    assert [verdict.accepts for verdict in verdicts] == [False, True, True]
    assert verdicts[0].says == "file #0: Unknown file format"


def test_the_text_of_version_3_is_read_through_the_records_from_0_5_5_on() -> None:
    view = _flat(next(case.data for case in cases() if case.name == "version-3"))
    verdicts = [judge(drgn.READER.at(version), view) for version in ("0.0.25", "0.0.31")]
    assert [verdict.accepts for verdict in verdicts] == [False, True]


def test_the_notes_of_qemu_are_read_from_0_5_5_on() -> None:
    view = View(BytesSource(next(case.data for case in cases() if case.rule == "qemu-cpu-note")))
    words = [str(judge(drgn.READER.at(version), view).says) for version in ("0.0.22", "0.0.25", "0.0.31")]
    assert words[:2] == [_NOT_SET] * 2
    assert words[2].endswith("QEMUCPUState too short: 3 bytes")


def test_riscv64_is_known_from_0_5_4_on() -> None:
    data = base("amd64").bytes(random.Random(1)).replace(b"x86_64\0", b"riscv64", 1)
    old, new = (judge(drgn.READER.at(version), View(BytesSource(data))) for version in ("0.0.22", "0.0.25"))
    assert old.says == _NO_MACHINE
    assert new.says.endswith("Cannot process arch notes: Wrong PRSTATUS size: 336")


def test_drgn_reads_an_elf_dump_itself_in_every_version() -> None:
    for version in drgn.READER.known:
        assert judge(drgn.READER.at(version), _view(_ARMHF)).accepts


@pytest.mark.parametrize(("version", "title"), [("0.0.22", "0.5.0 in drgn 0.0.22"), ("0.0.25", "0.5.4 in drgn 0.0.25")])
def test_the_release_of_a_wheel(version: str, title: str) -> None:
    assert libkdumpfile.READER.at(version).title == title


def test_a_file_is_opened_again_only_for_a_release_that_reads_it_otherwise() -> None:
    for name, opened in ((_ARMHF, 2), (_I386, 1)):
        reading = libkdumpfile.READER.read(_view(name))
        assert len({id(libkdumpfile.READER.read_as(reading, turn)) for turn in ((0, 0, 22), (0, 3, 0))}) == opened


@pytest.mark.parametrize(
    ("name", "accepts"),
    [
        (_ARMHF, [((0, 0, 20), True), ((0, 0, 24), False)]),
        (_I386, [((0, 0, 20), False), ((0, 0, 22), True)]),
        (_GROWN, [((0, 0, 20), True), ((0, 0, 24), False)]),
        (_CUT_EARLY, []),
        (_CUT_LATE, []),
    ],
)
def test_where_versions_differ_is_said(name: str, accepts: list[tuple[tuple[int, ...], bool]]) -> None:
    for version in ("0.0.22", "0.3.0"):
        assert list(judge(libkdumpfile.READER.at(version), _view(name)).by_version) == accepts
