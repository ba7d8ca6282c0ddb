"""Make the note of a dump whose memory has none, from the kernel that runs, and compare it with memory."""

from __future__ import annotations

from typing import NamedTuple

from vmci_tui.common.errors import EditError
from vmci_tui.common.progress import Progress
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.containers.guest import Guest
from vmci_tui.document import edit_notes
from vmci_tui.document.edit import Edit
from vmci_tui.document.edit_notes import FromKernel
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.running_kernel import NotKnown
from vmci_tui.kernel.lines.gather import running_kernel
from vmci_tui.kernel.lines.made_text import MadeText, made_text
from vmci_tui.proof import prove
from vmci_tui.search.candidate import PROVED, Proof


class MadeNote(NamedTuple):
    """A text that no kernel wrote, and what the two witnesses say of it."""

    made: MadeText
    proof: Proof
    """Never False: then no note is made."""

    @property
    def offer(self) -> Safe:
        """Return a clause that offers it."""
        missing = len(self.made.left_out)
        lines = f"{len(self.made.lines)} lines{f', {missing} are unknown' if missing else ''}"
        kernel = f"the tables of the kernel in memory, Linux {visible(self.made.release)}"
        return visible(f"one can be made from {kernel}: {lines}, {PROVED[self.proof.proved]}")

    def edit(self, order: ByteOrder) -> Edit:
        """Return the edit that takes it as the note of a dump of this byte order."""
        note = edit_notes.note_around(self.made.text.text, order)
        return Edit.of(edit_notes.append_found, FromKernel(note, visible(self.made.release)), order)


def made_note(guest: Guest, own: Vmcoreinfo | None, progress: Progress) -> MadeNote:
    """Return the note as `make_note` does. Raises EditError if none can be made, and what `progress` raises."""
    found = make_note(guest, own, progress)
    if isinstance(found, NotKnown):
        raise EditError(f"no note can be made: {found.why}", "`vmci append --text` takes the text of the running guest")
    return found


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
