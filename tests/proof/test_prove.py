"""Test proof and search in crafted memory, for cases that no real dump shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit import found
from tests.limits import time_limit
from tests.opened_files import open_document
from tests.paths import SAMPLES
from tests.proof.synthetic import LINK, MAP, PAGE, Ram, uts
from vmci_tui.common.errors import Cancelled
from vmci_tui.containers.guest import Guest, KernelSegment
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.layers.file import FileSource
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Range, Ranges
from vmci_tui.proof import check, prove
from vmci_tui.proof.witnesses.utsname import uts_of

_BASE, _SLIDE = 0x6000000, 0x2000000


def _values(text: Vmcoreinfo, guest: Guest) -> dict[bytes, bytes]:
    return {item.key: item.value for item in prove(text, guest).corrections}


def test_a_crafted_kernel_is_proved() -> None:
    ram = Ram()
    text = ram.kernel(_BASE, _SLIDE)
    proof = prove(text, ram.guest())
    assert proof.proved is True
    assert proof.why == (
        "at 0x95fb000 memory holds the utsname of Linux 6.1.0-test, and the page tables at 0x9400000 map"
        " init_uts_ns to 0x95fb000 and _stext to 0x9000000"
    )


def test_several_wrong_values_are_corrected() -> None:
    ram = Ram()
    text = ram.kernel(_BASE, _SLIDE)
    right = {b"NUMBER(phys_base)": b"%d" % _BASE, b"KERNELOFFSET": b"2000000", b"OSRELEASE": b"6.1.0-test"}
    wrong = text.with_value(b"NUMBER(phys_base)", b"0").with_value(b"KERNELOFFSET", b"0").with_value(b"OSRELEASE", b"7")
    assert _values(wrong, ram.guest()) == right
    assert prove(wrong, ram.guest()).proved is False


def test_two_possible_places_give_no_correction() -> None:
    """Two kernels that KASLR does not move: only phys_base decides which one the text describes."""
    ram = Ram()
    text, other = ram.kernel(_BASE), ram.kernel(_BASE + (32 << 20))
    wrong = text.with_value(b"NUMBER(phys_base)", b"0")
    proof = prove(wrong, ram.guest())
    assert proof.proved is not True and not proof.corrections
    assert "2 other places fit, so none is chosen" in proof.why
    assert prove(text, ram.guest()).proved and prove(other, ram.guest()).proved


def test_a_kernel_of_the_same_release_and_another_boot_proves_nothing() -> None:
    """Remains of an earlier kernel: utsname and page tables are whole, but map other addresses."""
    ram = Ram()
    ram.kernel(_BASE, _SLIDE)
    stale = Ram().kernel(_BASE + (64 << 20), _SLIDE + (4 << 20))
    proof = prove(stale, ram.guest())
    assert proof.proved is not True and not proof.corrections
    # moved so that utsname of the one is where the other's text says
    ram.put(_BASE + LINK + _SLIDE + (4 << 20) + 0x5FB000, uts())
    near = stale.with_value(b"NUMBER(phys_base)", b"%d" % _BASE)
    proof = prove(near, ram.guest())
    assert proof.proved is not True and not proof.corrections


def test_utsname_alone_proves_nothing() -> None:
    ram = Ram()
    text = ram.kernel(_BASE, _SLIDE)
    alone = Ram()
    alone.put(0x95FB000, uts())
    proof = prove(text, alone.guest())
    assert proof.proved is None and "nothing confirms it: the dump lacks the page tables" in proof.why
    without = Vmcoreinfo(text.text.replace(b"SYMBOL(swapper_pg_dir)", b"SYMBOL(swapper)"))
    assert prove(without, ram.guest()).proved is None


def test_bytes_that_are_not_a_utsname() -> None:
    assert uts_of(uts()) is not None
    for raw in (
        uts(version=b"# SMP"),
        uts(version=b"SMP"),
        uts(release=b""),
        uts(machine=b""),
        uts(release=b"6\x1b"),
        uts().replace(b"Linux\0", b"Linus\0"),
        uts(release=b"6" * 65),
        uts()[:-1],
        b"",
    ):
        assert uts_of(raw) is None, raw


def test_a_kernel_whose_text_names_the_variable_only() -> None:
    """Before 4.10 the text has SYMBOL(phys_base): 0 is read at its place, another value is searched for."""
    for base, why in ((0, "at 0x35fb000 "), (_BASE, "at 0x95fb000 ")):
        ram = Ram()
        text = ram.kernel(base, _SLIDE)
        old = Vmcoreinfo(text.text.replace(b"NUMBER(phys_base)=%d" % base, b"SYMBOL(phys_base)=%x" % (MAP + 0x3600010)))
        ram.word(base + 0x3600010, base)
        proof = prove(old, ram.guest())
        assert proof.proved is True and why in proof.why, proof


def test_the_program_header_of_the_image_locates_such_a_kernel() -> None:
    """This is so in a dump of kexec too; nothing is searched for, and the variable itself must agree."""
    ram = Ram()
    text = ram.kernel(_BASE, _SLIDE)
    old = Vmcoreinfo(text.text.replace(b"NUMBER(phys_base)=%d" % _BASE, b"SYMBOL(phys_base)=%x" % (MAP + 0x3600010)))
    ram.word(_BASE + 0x3600010, _BASE)
    right, wrong = (KernelSegment(MAP + 0x1000000, base + 0x1000000, 64 << 20) for base in (_BASE, _BASE + 0x200000))
    told = {place: prove(old, ram.guest()._replace(image=(place,)), search=False) for place in (right, wrong)}
    assert told[right].proved is True and f"at {_BASE + 0x35FB000:#x}" in told[right].why
    assert told[wrong].proved is None


@pytest.mark.parametrize(
    ("gone", "why"),
    [
        (b"OSRELEASE", "the text has no OSRELEASE"),
        (b"SYMBOL(init_uts_ns)", "the text has no SYMBOL(init_uts_ns)"),
        (b"NUMBER(phys_base)", "the text has no NUMBER(phys_base)"),
    ],
)
def test_a_text_that_lacks_a_key_is_not_proved(gone: bytes, why: str) -> None:
    ram = Ram()
    text = Vmcoreinfo(ram.kernel(_BASE).text.replace(gone, b"GONE"))
    proof = prove(text, ram.guest())
    assert proof.proved is None and proof.why.startswith(why)


def test_unknown_machines() -> None:
    text = Vmcoreinfo(b"OSRELEASE=6\nSYMBOL(init_uts_ns)=1000\n")
    assert "kernels of sparc64 are not known" in prove(text, Ram().guest("sparc64")).why
    assert prove(Vmcoreinfo(b"OSRELEASE=6\nSYMBOL(init_uts_ns)=z\n"), Ram().guest(None)).proved is None
    nothing = Vmcoreinfo(b"OSRELEASE=6\nSYMBOL(init_uts_ns)=1\nSIZE(list_head)=8\nSIZE(atomic_long_t)=8\n")
    assert "says which machine it is" in prove(nothing, Ram().guest(None)).why


def test_the_utsname_of_another_machine_contradicts() -> None:
    ram = Ram()
    text = ram.kernel(_BASE)
    ram.put(_BASE + LINK + 0x5FB000, uts(machine=b"aarch64"))
    proof = prove(text, ram.guest())
    assert proof.proved is False and "a utsname of aarch64" in proof.why


def test_too_many_places_that_look_like_utsname() -> None:
    ram = Ram()
    text = ram.kernel(_BASE)
    for number in range(80):
        ram.put(_BASE + LINK + 0x5FB000 + (number + 8) * (2 << 20), uts())
    proof = prove(text.with_value(b"NUMBER(phys_base)", b"0"), ram.guest())
    assert proof.proved is not True and not proof.corrections and "too many places" in proof.why


def test_the_search_can_be_stopped_and_left_out() -> None:
    ram = Ram()
    text = ram.kernel(_BASE).with_value(b"NUMBER(phys_base)", b"0")

    def stop(what: str, done: int, total: int) -> None:
        assert what == "searching" and done <= total == ram.guest().memory.size
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        prove(text, ram.guest(), stop)
    assert not prove(text, ram.guest(), stop, search=False).corrections
    assert prove(ram.kernel(_BASE), ram.guest(), stop).proved


def test_a_sparse_tebibyte_is_searched_at_once(tmp_path: Path) -> None:
    ram = Ram()
    text = ram.kernel(_BASE, _SLIDE)
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        for number, page in ram.pages.items():
            file.seek(number * PAGE + (1 << 39))
            file.write(page)
        file.truncate(1 << 40)
    source = FileSource(str(path))
    guest = Guest(source, Memory(Ranges((Range(0, 1 << 40, 0),))), "x86_64", 64, "little")
    # The kernel is 512 GiB above the place that its tables map: it is found, and not accepted.
    with time_limit(2):
        proof = prove(text, guest)
    assert proof.proved is False and not proof.corrections
    source.close()


def test_a_check_reads_few_pages() -> None:
    ram = Ram()
    text, guest = ram.kernel(_BASE), ram.guest()
    seen: set[int] = set()

    class Counted:
        size = guest.source.size
        data_ranges = guest.source.data_ranges

        def read(self, offset: int, length: int) -> bytes:
            seen.update(range(offset // PAGE, (offset + length - 1) // PAGE + 1))
            return guest.source.read(offset, length)

    assert check(text, guest._replace(source=Counted())).proof.proved
    assert len(seen) < 200


def test_a_value_that_ends_in_cr_is_not_reported_as_missing() -> None:
    """A line that an editor on Windows ended in CR is present, though its value is wrong."""
    document = open_document(str(SAMPLES / "crlf.elf"))
    words = found(document)["M06"].message
    assert "SYMBOL(init_uts_ns) ends in CR" in words and "has no" not in words
