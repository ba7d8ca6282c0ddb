"""Test opening a document by file name, and the line that names any other file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dumps import factory
from tests.dumps.factory import cpus, elf, note
from tests.opened_files import open_document
from vmci_tui.common.errors import OpenError
from vmci_tui.formats.fw_cfg_entry import RESET, Entry, EntryHistory
from vmci_tui.layers.file import FileSource
from vmci_tui.opening.open_entry import read_entry
from vmci_tui.opening.open_file import new_entry

_GOOD = Entry(0, 1, 4132, 0x1000).pack()
_RAW = "`--map IOMEM` (the machine's /proc/iomem) if one file has all ranges without the holes; FILE@PADDR (hex)"

_Make = Callable[..., str]


@pytest.fixture
def file(tmp_path: Path) -> _Make:
    """Return a function that makes a file of these bytes and returns its path."""

    def make(data: bytes, name: str = "file") -> str:
        (tmp_path / name).write_bytes(data)
        return str(tmp_path / name)

    return make


def test_a_dump_alone_and_with_its_entry(file: _Make) -> None:
    dump, blob = file(elf((cpus() + note(),)), "dump"), file(_GOOD, "blob")
    alone = open_document(dump)
    assert alone.container == "elf" and alone.state.entry is None and alone.blob is None
    both = open_document(dump, blob)
    assert both.state.entry is not None and both.state.entry.present and not both.modified
    assert both.blob_name is not None and both.blob_name.endswith("blob")
    writes = file(b'[{"offset":0,"length":16,"bytes":"%s"}]' % _GOOD.hex().encode(), "w.write.json")
    document = open_document(dump, writes)
    assert document.state.entry is not None and document.state.entry.origin == "writes"


@pytest.mark.parametrize("length", [1, 4, 15, 16, 17, 63, 4096])
def test_a_blob_of_any_length_is_opened_and_shown(file: _Make, length: int) -> None:
    data = (_GOOD * 256)[:length]
    document = open_document(file(data))
    assert document.container == "entry" and document.state.entry is not None
    assert document.state.entry.present == (length == 16)
    assert document.read(0, 5000) == data


def test_a_small_file_is_not_an_entry(file: _Make) -> None:
    junk = bytes(range(7, 256)) * 4
    with pytest.raises(OpenError, match="neither an ELF dump nor an entry"):
        open_document(file(junk))
    assert open_document(file(junk, "junk.entry")).container == "entry", "its name says that it is one"
    with pytest.raises(OpenError, match="neither"):
        open_document(file(bytes(4097), "large.entry"))


def test_a_hex_dump_of_16_bytes_is_an_entry(file: _Make) -> None:
    data = b"0000000 00 00 01 00 24 10 00 00 00 10 00 00 00 00 00 00\n0000010\n"
    document = open_document(file(data, "entry.hexdump"))
    assert document.container == "entry" and document.read(0, 100) == _GOOD
    with pytest.raises(OpenError, match="not of 16 bytes"):
        open_document(file(data.replace(b" 24", b"")))


def test_the_reset_state_is_never_written(file: _Make) -> None:
    document = open_document(file(RESET))
    assert document.state.entry is not None and document.state.entry.never_written
    assert document.read(0, 16) == RESET


def test_16_bytes_are_an_entry_whatever_they_look_like(file: _Make) -> None:
    for data in (b"KDUMP   " + bytes(8), b"OSRELEASE=6.1.0\n", bytes(16)):
        assert open_document(file(data)).container == "entry"


@pytest.mark.parametrize(
    ("data", "what", "hint"),
    [
        (b"KDUMP   " + bytes(5000), "no width and byte order", "damaged"),
        (b"makedumpfile".ljust(16, b"\0") + bytes(5000), "holds no dump", "copy it again"),
        (b"QEVM" + bytes(5000), "migration stream", "--memory-only"),
        (factory.TEXT_64, "text of a note", "--text"),
        (note(), "raw VMCOREINFO note", "--note"),
        (b"hello world\n" * 10, "text file", "open a dump"),
        (b"hello world\n" * 1000, "text file", "open a dump"),
        (b"", "is empty", "16 bytes"),
        (b"hello\n", "a text file", "open a dump"),
        ("größer\n".encode() * 700, "a text file", "open a dump"),
        (b"A=1\nNUMBER(xy)=2\n", "key=value lines", "--text"),
        (b'[{"offset": 16}]\n', "JSON text", "NAME.write.json"),
        (b"ffffffff81000000 T _text\n", "System.map", "open a memory dump"),
        (b"\xf0" * (1 << 16), "a raw image of memory", _RAW),
        (b"\xf0" * 5000, "neither an ELF dump nor an entry", _RAW),
        (b"sadump\0\0\1" + bytes(5000), "a sadump file", "crash"),
        (bytes.fromhex("ed238f61730119a8") + bytes(900), "an LKCD dump", "crash"),
        (bytes.fromhex("a8190173618f23ed") + bytes(900), "an LKCD dump", "crash"),
        (bytes.fromhex("a8190173618f23fd") + bytes(900), "dump of s390", "zgetdump"),
        (bytes.fromhex("d2bed2be08000000") + bytes(160), "a saved VMware machine", ".vmem"),
        (b"LibvirtQemudSave" + bytes(90), "`virsh save` image", "copy it again"),
        (b"QFI\xfb\0\0\0\3" + bytes(500), "qcow2", "not a disk"),
        (b"PAGEDU64" + bytes(8184), "a Windows crash dump", "VMCOREINFO"),
        (b"PAGEDUMP" + bytes(4088), "a 32-bit Windows crash dump", "VMCOREINFO"),
        (b"MDMP\x93\xa7" + bytes(30), "minidump", "open a memory dump"),
        (b"HIBR" + bytes(4092), "hibernation", "VMCOREINFO"),
        (bytes(4086) + b"S1SUSPEND\0" + bytes(4096), "a hibernated Linux", "resume"),
        (b"\xcf\xfa\xed\xfe" + bytes(28), "a Mach-O file", "open a memory dump"),
        (bytes.fromhex("d4c3b2a102000400") + bytes(16), "a network capture", "open a memory dump"),
        (b"\x1f\x8b\x08" + bytes(60), "compressed by gzip", "gunzip"),
        (b"\xfd7zXZ\0" + bytes(60), "compressed by xz", "unxz"),
        (b"\x28\xb5\x2f\xfd" + bytes(60), "compressed by zstd", "zstd -d"),
        (b"\x04\x22\x4d\x18" + bytes(60), "compressed by lz4", "lz4 -d"),
        (b"BZh9" + bytes(60), "compressed by bzip2", "bunzip2"),
        (bytes(257) + b"ustar\0" + bytes(249), "a tar archive", "tar xf"),
        (bytes(4097), "neither an ELF dump nor an entry", "dump-guest-memory"),
        (b"\x7fELF", "cut off", "copy it again"),
    ],
)
def test_any_other_file_is_one_line(file: _Make, data: bytes, what: str, hint: str) -> None:
    with pytest.raises(OpenError, match=what) as error:
        open_document(file(data))
    assert hint in error.value.hint
    assert str(error.value).isprintable() and "file" in error.value.message


def test_files_beside_a_dump_are_named_alike(file: _Make) -> None:
    dump = file(elf(), "dump")
    for data, what in ((b"sadump\0\0" + bytes(60), "a sadump file"), (b"", "is empty"), (b"hello\n", "a text file")):
        with pytest.raises(OpenError, match=what):
            open_document(dump, file(data, "blob"))
    assert open_document(dump, file(bytes(40), "forty")).state.entry is not None, "the user says that it is one"


def test_misplaced_files_are_reported(file: _Make) -> None:
    dump, blob = file(elf(), "dump"), file(_GOOD, "blob")
    for arguments, words in (((blob, blob), "not a dump"), ((dump, dump), "ELF file, not an entry")):
        with pytest.raises(OpenError, match=words):
            open_document(*arguments)
    with pytest.raises(OpenError, match=r"bad\.json: this is not JSON"):
        open_document(file(b"{", "bad.json"))
    with pytest.raises(OpenError, match="too many"):
        read_entry(file(bytes(2 << 20), "big"))


def test_a_new_entry_is_the_reset_state() -> None:
    document = new_entry(EntryHistory("blob"))
    assert document.read(0, 16) == RESET and document.container == "entry"


@pytest.mark.parametrize(
    ("data", "origin"),
    [
        (b"0x0000000000001000 1024\n", "derived"),
        (b"0x00001000 1024\n", "derived"),  # 16 bytes, and yet no blob
        (b"$1 = {host_format = 0x0, guest_format = 0x1, size = 0x1024, paddr = 0x1000}\n", "blob"),
    ],
)
def test_a_text_that_describes_an_entry(file: _Make, data: bytes, origin: str) -> None:
    document = open_document(file(data))
    assert document.state.entry is not None and document.state.entry.origin == origin
    # The entry's bytes are shown and saved; the text itself is not a blob.
    assert document.read(0, 100) == _GOOD == document.source.read(0, 100)
    beside = open_document(file(elf((cpus() + note(),)), "dump"), file(data))
    assert beside.state.entry == document.state.entry
    assert beside.blob is not None and beside.blob.read(0, 100) == _GOOD
    assert beside.entry_alone().source.read(0, 100) == _GOOD


def test_dump_and_blob_are_separate_files(file: _Make) -> None:
    document = open_document(file(elf(), "dump"), file(_GOOD, "blob"))
    assert isinstance(document.blob, FileSource) and isinstance(open_document(file(_GOOD)).source, FileSource)
    document.close()
