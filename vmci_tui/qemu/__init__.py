"""Asking a real QEMU what it does with an entry and a note, and predicting it.

The QEMU that is started runs no guest code: its memory is written over qtest, the entry
through the registers of fw_cfg, and the dump is asked for over QMP. All of it goes over
sockets without a name that are made for the one run, and dumps go to files without a
name, so that nothing can be left behind in a folder, not even by `kill -9`.
"""

from __future__ import annotations

from vmci_tui.common.errors import VmciError


class QemuError(VmciError):
    """QEMU is missing, or did not do what it was asked (exit code 3)."""
