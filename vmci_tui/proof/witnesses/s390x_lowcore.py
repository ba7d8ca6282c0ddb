"""The s390x lowcore as a witness: at absolute 0, it points at the note of the running kernel (lowcore.vmcore_info)."""

from __future__ import annotations

from typing import Final

from vmci_tui.formats.elf_note import HEADER, parse_raw
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.proof.kernel_addresses import PlacedKernel, Witness
from vmci_tui.proof.text_values import line
from vmci_tui.search.candidate import Correction
from vmci_tui.search.lowcore_pointer import pointers
from vmci_tui.search.recognise import FIRST_KEY

_LIMIT: Final = 64 << 10
_PAGE: Final = 4096
_MOVED: Final = (b"KERNELOFFSET", b"KERNELOFFPHYS", b"OSRELEASE")
_FIXED: Final = (b"SYMBOL(init_uts_ns)", b"SYMBOL(swapper_pg_dir)", b"SYMBOL(_stext)")


def named_note(kernel: PlacedKernel) -> Witness:
    """Fit if the note at which the lowcore points says the same about the kernel's place and release."""
    if kernel.machine.name != "s390x":
        return Witness(None, "only s390x has a lowcore", False)
    named = pointers(kernel.guest)
    if not named:
        return Witness(None, "the dump has no lowcore that points at a note")
    paddr = named[0]
    where = f"the note at which the lowcore points, {paddr:#x},"
    text = _text_at(kernel, paddr)
    if text is None:
        return Witness(None, f"{where} is not whole in the dump, or overwritten")
    for key in _FIXED:
        if text.get(key) != kernel.text.get(key):
            return Witness(False, f"{where} says {line(text, key)}")
    wrong = [key for key in _MOVED if text.get(key) != kernel.text.get(key)]
    if not wrong:
        return Witness(True, f"{where} says the same", root=True)
    why = f"the note at which the lowcore points, {paddr:#x}, says so"
    corrected = tuple(Correction(key, text.get(key) or b"", why) for key in wrong if text.get(key))
    return Witness(False, f"{where} says {line(text, wrong[0])}", corrections=corrected)


def _text_at(kernel: PlacedKernel, paddr: int) -> Vmcoreinfo | None:
    """Return the text of the note at `paddr`; None if there is none that begins as each text does."""
    head = kernel.guest.read(paddr, HEADER)
    if head is None:
        return None
    length = HEADER + 12 + int.from_bytes(head[4:8], "big")
    raw = kernel.guest.read(paddr, length) if length <= _LIMIT + _PAGE else None
    note = parse_raw(raw) if raw is not None else None
    return Vmcoreinfo(note.desc) if note is not None and note.desc.startswith(FIRST_KEY) else None
