"""Proving a vmcoreinfo text against the memory that it describes, without vmlinux.

Two witnesses must agree: utsname is where the text says and has the same release, and memory holds
something else that only this kernel at this place can have, above all its page tables.
"""

from vmci_tui.proof.cross_checks import check
from vmci_tui.proof.prove import prove

__all__ = ["check", "prove"]
