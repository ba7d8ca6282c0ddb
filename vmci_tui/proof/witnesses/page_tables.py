"""The kernel's own page tables, and its page size, as witnesses: tables must map symbols to their places."""

from __future__ import annotations

from typing import Final

from vmci_tui.proof.kernel_addresses import PlacedKernel, Witness
from vmci_tui.proof.paging.walk import Paging
from vmci_tui.proof.text_values import line, small, symbol
from vmci_tui.search.candidate import Correction

_NAMES: Final = (b"init_uts_ns", b"_stext")
_HASH_ROOT: Final = 4096
_VALID: Final = 0x800
"""The top bits of an entry that leads to a table; all other bits are its address."""
_PAGESIZE: Final = b"PAGESIZE"
_STEP: Final = 1 << 20
_FAR: Final = 64 << 20


def page_tables(kernel: PlacedKernel) -> Witness:
    """Fit if the tables at swapper_pg_dir map init_uts_ns and _stext to their places, if the dump has the tables.

    Tables at a wrong place, of another kernel or another boot map these addresses elsewhere or not at all.
    """
    root = symbol(kernel.text, b"swapper_pg_dir")
    if root is None:
        return Witness(None, "the text names no page tables (SYMBOL(swapper_pg_dir))")
    if not kernel.pagings:
        return Witness(None, f"page tables of {kernel.machine.name} cannot be read")
    where = f"the page tables at {kernel.paddr(root):#x}"
    answers: list[Witness] = []
    for paging in kernel.pagings:
        right, wrong, absent = [], [], []
        for name in _NAMES:
            va = symbol(kernel.text, name)
            if va is None:
                continue
            found = kernel.walk(paging, va)
            assert found is not None
            shown = name.decode()
            if found.state == "absent":
                absent.append(f"the dump lacks the page tables that map {shown}, at {found.paddr:#x}")
            elif found.state == "unmapped":
                wrong.append(f"{where} do not map {shown} ({va:#x}): the entry at {found.paddr:#x} maps nothing")
            elif found.paddr != kernel.paddr(va):
                wrong.append(f"{where} map {shown} ({va:#x}) to {found.paddr:#x}, not to {kernel.paddr(va):#x}")
            else:
                right.append(f"{shown} to {found.paddr:#x}")
        if right and not wrong:
            return Witness(True, f"{where} map " + " and ".join(right), root=True)
        if right:
            return Witness(False, wrong[0])
        words = (absent or wrong or [where])[0]
        answers.append(Witness(False if wrong and not absent and paging.sure else None, words))
    unknown = [witness for witness in answers if witness.fits is None]
    return unknown[0] if unknown else answers[0]


def hash_tables(kernel: PlacedKernel) -> Witness:
    """Confirm tables of ppc64 with a hash table: they map only vmalloc areas, by entries of one form.

    This confirms that they are tables, not where the kernel is.
    """
    root = symbol(kernel.text, b"swapper_pg_dir")
    radix = small(kernel.text, b"NUMBER(RADIX_MMU)", 1)
    if kernel.machine.name != "ppc64" or radix == 1 or root is None:
        return Witness(None, "there is no hash table", False)
    raw = kernel.read(root, _HASH_ROOT)
    if raw is None:
        return Witness(None, f"the dump lacks the page tables at {kernel.paddr(root):#x}", False)
    entries = [int.from_bytes(raw[at : at + 8], "big") for at in range(0, _HASH_ROOT, 8)]
    used = [entry for entry in entries if entry]
    if used and all(entry >> 52 == _VALID and not entry % _HASH_ROOT for entry in used):
        return Witness(True, f"{kernel.paddr(root):#x} holds page tables", False, True)
    return Witness(False if radix == 0 else None, f"{kernel.paddr(root):#x} holds no page tables", False)


def page_size(kernel: PlacedKernel) -> Witness:
    """Contradict a PAGESIZE that the machine cannot have; a possible one is not evidence."""
    sizes = kernel.machine.facts.page_sizes
    said = kernel.text.get(_PAGESIZE)
    if said is None or not sizes or said in [b"%d" % size for size in sizes]:
        return Witness(None, "PAGESIZE is possible", strong=False)
    wanted = " or ".join(map(str, sizes))
    corrected = (Correction(_PAGESIZE, b"%d" % sizes[0], "the machine has no other"),) if len(sizes) == 1 else ()
    return Witness(False, f"a kernel of {kernel.machine.name} has pages of {wanted} bytes", corrections=corrected)


def text_begins(kernel: PlacedKernel) -> Witness:
    """Contradict if _stext is not the first read-only byte of a 32-bit kernel that has such bytes.

    Such a kernel maps all of RAM in one piece, so a wrong _stext is mapped like a right one, and before 6.0 nothing
    else shows where it is. With CONFIG_STRICT_KERNEL_RWX, the default, _stext is the first read-only byte.
    """
    start = symbol(kernel.text, b"_stext")
    if kernel.machine.bits != 32 or start is None:
        return Witness(None, "_stext is checked in other ways", False)
    for paging in kernel.pagings:
        own, below = kernel.walk(paging, start), kernel.walk(paging, start - 1)
        if own is None or below is None or own.state != "mapped" or below.state != "mapped":
            continue
        if own.readonly and not below.readonly:
            return Witness(True, f"the kernel's text begins at {start:#x}", False)
        if below.readonly or _protected(kernel, paging):
            return Witness(False, f"the kernel's text does not begin at {line(kernel.text, b'SYMBOL(_stext)')}", False)
    return Witness(None, "nothing shows where the kernel's text begins", False)


def _protected(kernel: PlacedKernel, paging: Paging) -> bool:
    """Return whether anything in the 64 MiB below init_uts_ns, which is data after the text, is read-only."""
    data = symbol(kernel.text, b"init_uts_ns") or 0
    walks = (kernel.walk(paging, data - at) for at in range(_STEP, _FAR, _STEP) if at <= data)
    return any(found is not None and found.readonly for found in walks)
