"""Test the proof with real guests of all machines: right texts are proved, wrong ones never are."""

from __future__ import annotations

import hashlib

import pytest

from tests.opened_files import open_document
from tests.paths import SAMPLES
from tests.proof import guests
from vmci_tui.containers.guest import Guest, guest_of, raw_guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.layers.file import BytesSource
from vmci_tui.proof import check, prove
from vmci_tui.proof.running_kernel import roots_of, runs
from vmci_tui.proof.witnesses.utsname import LENGTH, uts_of

_SAMPLES = {"amd64": 0x19C8000, "arm64": 0x42730000, "s390x": 0x1A6C000}
_NAMES = [*guests.TRUTH, *_SAMPLES]
_NOTHING_TELLS_STEXT = ("armhf-lpae", "ppc64el-64k", "ppc64el-hash", "ppc64el-radix", "riscv64-sv39", "riscv64-sv48")
"""In a whole dump the symbol table decides; these dumps lack its pages."""
_COPIED = {"ppc64el-64k": 1}
"""Utsnames in a copy of the kernel's image that equal the true one: only the symbol table rejects these."""
_X86 = [name for name in guests.TRUTH if name.startswith(("amd64", "i386"))]


def _guest(name: str) -> tuple[Guest, Vmcoreinfo]:
    if name in guests.TRUTH:
        return guests.guest(name), guests.true_text(name)
    dump = open_document(str(SAMPLES / f"{name}-cut-nonote.elf")).dump
    assert dump is not None
    return guest_of(dump), guests.text_at(guest_of(dump), _SAMPLES[name])


@pytest.fixture(params=_NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_guests_own_text_is_proved_without_a_search(name: str) -> None:
    guest, text = _guest(name)
    proof = check(text, guest).proof
    assert proof.proved is True, proof.why
    assert f"Linux {(text.osrelease or b'').decode()}" in proof.why and not proof.corrections
    if name in guests.TRUTH:
        assert f"at {guests.TRUTH[name]['uts']} " in proof.why
    assert prove(text, guest) == proof


def test_a_wrong_value_is_disproved_and_the_right_one_found(name: str) -> None:
    guest, text = _guest(name)
    for what, wrong, right in guests.falsified(text):
        proof = prove(wrong, guest)
        assert proof.proved is False, (what, proof)
        found = {item.key: item.value for item in proof.corrections}
        if found or not _not_to_be_told(name, wrong, guest):
            assert found == right, (what, proof)


def _not_to_be_told(name: str, wrong: Vmcoreinfo, guest: Guest) -> bool:
    """Return whether KERNELOFFSET is wrong, and the cut dump lacks the bytes that confirm _stext."""
    corrected = check(wrong, guest).corrections
    return not corrected and wrong.get(b"KERNELOFFSET") is not None and name.startswith(("arm64", "riscv64"))


def test_a_wrong_address_is_neither_proved_nor_corrected(name: str) -> None:
    guest, text = _guest(name)
    for what, wrong in guests.wrong_symbols(text):
        proof = prove(wrong, guest)
        assert not proof.corrections, (what, proof)
        if not (what.startswith("_stext") and name in _NOTHING_TELLS_STEXT):
            assert proof.proved is not True, (what, proof)


@pytest.mark.parametrize("name", guests.TRUTH)
def test_no_other_utsname_proves_the_text(name: str) -> None:
    """Each dump has a second utsname; after kexec also that of the earlier kernel."""
    guest, text = _guest(name)
    truth = guests.TRUTH[name]
    for other in truth["false_uts"][: len(truth["false_uts"]) - _COPIED.get(name, 0)]:
        by = int(other, 16) - int(truth["uts"], 16)
        wrong = guests.moved(text, b"SYMBOL(init_uts_ns)", b"%x", by)
        assert prove(wrong, guest).proved is not True, other
        for key, form, sign in (
            (b"NUMBER(phys_base)", b"%d", 1),
            (b"NUMBER(kimage_voffset)", b"0x%x", -1),
            (b"NUMBER(va_kernel_pa_offset)", b"0x%x", -1),
            (b"KERNELOFFPHYS", b"%x", 1),
        ):
            value = text.get(key)
            if value is not None:
                proof = prove(guests.moved(text, key, form, by * sign), guest)
                assert proof.proved is False, (other, proof)
                assert {item.key: item.value for item in proof.corrections} == {key: value}, (other, proof)


@pytest.mark.parametrize("name", [name for name in guests.TRUTH if "510" not in name])
def test_an_unused_utsname_is_recognised_by_its_version(name: str) -> None:
    truth, guest = guests.TRUTH[name], guests.guest(name)
    raw = guest.read(int(truth["uts"], 16), LENGTH)
    assert raw is not None and uts_of(raw) is not None
    lowest = guest.read(int(truth["false_uts"][0], 16), LENGTH)
    assert lowest is not None and lowest.startswith(b"Linux\0") and uts_of(lowest) is None


@pytest.mark.parametrize("name", [name for name in guests.TRUTH if "stale_note" in guests.TRUTH[name]])
def test_the_processors_decide_between_two_proved_kernels(name: str) -> None:
    stale = guests.TRUTH[name]["stale_note"]
    guest, text = _guest(name)
    old = guests.text_at(guest, int(stale["paddr"], 16))
    assert hashlib.sha256(old.text).hexdigest() == stale["sha256"]
    roots = roots_of(guests.dump(name).notes)
    assert prove(old, guest).proved is True
    assert runs(text, guest, roots) is True and runs(old, guest, roots) is False


@pytest.mark.parametrize("name", _X86)
def test_the_processors_run_the_kernel(name: str) -> None:
    roots = roots_of(guests.dump(name).notes)
    assert roots
    # Of a process that was on the processor the cut dump may lack the tables.
    assert runs(guests.true_text(name), guests.guest(name), roots) is not False
    assert runs(guests.true_text(name), guests.guest(name), ()) is None


def test_a_dump_of_another_machine_is_not_a_contradiction() -> None:
    proof = prove(guests.true_text("arm64-510"), guests.guest("riscv64-sv39"))
    assert proof.proved is None and "written only by aarch64 kernels, but the dump is from riscv64" in proof.why


@pytest.mark.parametrize("name", ["amd64-above-4g", "i386-pae", "arm64-lpa2", "armhf-lpae", "s390x-72", "ppc64el-64k",
                                  "i386-nopae", "armhf-nolpae", "riscv64-sv48"])  # fmt: skip
def test_the_machine_of_a_raw_image_follows_from_the_text(name: str) -> None:
    guest, text = _guest(name)
    nameless = guest._replace(machine=None, bits=None, order=None)
    proof = prove(text, nameless)
    assert proof.proved is True, proof.why


def test_an_empty_raw_image_has_no_memory() -> None:
    proof = prove(guests.true_text("riscv64-sv39"), raw_guest(BytesSource(bytes(1 << 16)), 0x80000000))
    assert proof.proved is None and "the dump lacks 0x8247e5c0" in proof.why
