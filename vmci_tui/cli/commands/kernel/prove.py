"""`vmci prove`: say for each line of the note whether the kernel's own tables confirm it."""

from __future__ import annotations

import argparse

from vmci_tui.adoption.text_to_read import text_to_read
from vmci_tui.cli.open_named import open_named
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import OpenError, UsageError
from vmci_tui.containers.guest import guest_of
from vmci_tui.kernel.facts.running_kernel import NotKnown
from vmci_tui.kernel.lines.gather import kernel_with_types, running_kernel
from vmci_tui.kernel.lines.prove_lines import prove_lines
from vmci_tui.kernel.lines.witnessed import with_witnesses
from vmci_tui.proof import prove
from vmci_tui.render.dump_report import head_json
from vmci_tui.render.kernel.proof_report import lines_json, lines_text


def run(options: argparse.Namespace) -> int:
    """Print the verdict on each line; return 1 if one is contradicted. Raises UsageError and OpenError."""
    with open_named(options) as document:
        if document.dump is None:
            raise UsageError(f"{document.name} is an entry, which has no memory", "name a dump")
        guest, own = guest_of(document.dump), document.state.vmcoreinfo
        chosen = text_to_read(own, guest, shown_progress())
        text = own or chosen.text
        if text is None:
            raise OpenError(f"there is no note to prove. {chosen.remark}".removesuffix("."), "see `vmci check FILE`")
        # The corrected text says where the kernel is; each line of the note as it is gets the verdict.
        known = chosen.kernel
        kernel = kernel_with_types(guest, known) if known else running_kernel(guest, chosen.text, shown_progress())
        if isinstance(kernel, NotKnown):
            where = "a dump of all memory has it, or a cut with `--keep types`"
            hint = f"{'`vmci convert` makes a dump of it' if document.runs else where}; for two witnesses: `vmci check`"
            raise OpenError(f"no line can be proved: {kernel.why}", hint)
        lines = with_witnesses(prove_lines(kernel, text), prove(text, guest))
        head = head_json(document)
    remark = chosen.remark if own is None else ""
    if options.json:
        print_json(head | {"remarks": [remark] if remark else []} | lines_json(lines))
    else:
        if remark:
            say(f"vmci: {remark}")
        print_lines(lines_text(lines))
    return int(bool(lines.contradicted))
