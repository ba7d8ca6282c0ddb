"""Proving a vmcoreinfo text against the memory that it describes, without vmlinux.

Two witnesses must agree: utsname lies where the text puts it and names the same release, and something
else that only this kernel, at this place, can hold: its page tables foremost.
"""

from vmci_tui.proof.cross_checks import check
from vmci_tui.proof.moved_kernel import quiet
from vmci_tui.proof.prove import prove

__all__ = ["check", "prove", "quiet"]
