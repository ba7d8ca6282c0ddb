"""Make the note of a dump whose memory has none, from the kernel that runs, and compare it with memory."""

from __future__ import annotations

from typing import NamedTuple

from vmci_tui.common.progress import Progress
from vmci_tui.common.safe_text import visible
from vmci_tui.containers.guest import Guest
from vmci_tui.document import edit_notes
from vmci_tui.document.edit import Edit
from vmci_tui.document.edit_notes import FromKernel
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.lines.gather import running_kernel
from vmci_tui.kernel.lines.made_text import MadeText, made_text
from vmci_tui.kernel.lines.running_kernel import NotKnown
from vmci_tui.proof import prove
from vmci_tui.search.candidate import Proof


class MadeNote(NamedTuple):
    """A text that no kernel wrote, and what the two witnesses say of it."""

    made: MadeText
    proof: Proof
    """Never False: then no note is made."""

    def edit(self, order: ByteOrder) -> Edit:
        """Return the edit that takes it as the note of a dump of this byte order."""
        note = edit_notes.note_around(self.made.text.text, order)
        return Edit.of(edit_notes.append_found, FromKernel(note, visible(self.made.release)), order)


def make_note(guest: Guest, own: Vmcoreinfo | None, progress: Progress) -> MadeNote | NotKnown:
    """Return the note, or why it cannot be made.

    `own`: the dump's text, which says where the image is on some machines. Raises what `progress` raises.
    """
    kernel = running_kernel(guest, own, progress)
    made = kernel if isinstance(kernel, NotKnown) else made_text(kernel)
    if isinstance(made, NotKnown):
        return made
    proof = prove(made.text, guest, progress, search=False)
    if proof.proved is False:
        return NotKnown(f"memory contradicts the note that its tables give: {proof.why}")
    return MadeNote(made, proof)
