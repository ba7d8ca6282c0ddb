"""Take the note that the guest's entry names, without a search of memory: QEMU would put this one in its dump."""

from __future__ import annotations

from functools import partial

from vmci_tui.adoption.rank import rank_candidates
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.proof import prove
from vmci_tui.proof.running_kernel import roots_of, runs
from vmci_tui.search.candidate import RankedCandidate
from vmci_tui.search.recognise import candidate_at


def named_note(guest: Guest, progress: Progress) -> RankedCandidate | None:
    """Return the note at the entry's paddr, proved and of the kernel that the processors run; else None.

    After a kexec, or in the kernel that writes a crash dump, the entry may name another kernel's note. Only x86
    processors tell. Raises what `progress` raises.
    """
    for paddr in guest.named:
        found = candidate_at(guest, paddr)
        if found is None or found.kind != "note" or not found.whole:
            continue
        (best,) = rank_candidates((found,), guest, partial(prove, search=False), progress)
        if best.proof.proved and runs(found.vmcoreinfo, guest, roots_of(guest.notes)):
            return best._replace(runs=True, found_by="entry")
    return None
