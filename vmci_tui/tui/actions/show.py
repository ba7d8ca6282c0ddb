"""Open the screens that show more of the file: memory, header, next commands, shell commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmci_tui.common.safe_text import literal, visible
from vmci_tui.document.edit import Edit
from vmci_tui.tui.prompts import ask_edit, is_judged, say

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from vmci_tui.tui.session import Session


def next_commands(node: DOMNode, session: Session) -> None:
    """Show the next commands for the open file, or for the copy that was or would be saved."""
    from vmci_tui.repair.next_commands import copy_name
    from vmci_tui.tui.screens.next_commands_screen import NextCommandsScreen

    document = session.document
    if document.dump is None:
        say(node, "only QEMU reads an entry without a dump: Q asks it", "warning")
    elif is_judged(node, session):
        if document.dump_unsaved:
            path = copy_name(session.path) if session.path is not None else None
            title = f"What now, once it is saved (s){f' as {visible(path)}' if path else ''}"
        else:
            path = session.saved_copy
            title = f"What now with {document.name if path is None else visible(path)}"
        node.app.push_screen(NextCommandsScreen(title, session.next_commands(path)))


def header(node: DOMNode, session: Session) -> None:
    """Show the header of a kdump file, and edit the field that the user chooses."""
    fields, dump = session.document.state.header, session.document.dump
    from vmci_tui.render.dump_report import header_report

    report = header_report(dump) if dump is not None else None
    if fields is None or report is None:
        say(node, "only a kdump file has such a header: see the fields of this file in the hex view", "warning")
        return
    from vmci_tui.tui.screens.header_screen import HeaderScreen

    def chosen(name: str | None) -> None:
        if name:
            _ask_header(node, session, name)

    node.app.push_screen(HeaderScreen(fields, report.fixed), chosen)


def _ask_header(node: DOMNode, session: Session, name: str) -> None:
    from vmci_tui.document import edit_head
    from vmci_tui.formats.fw_cfg_entry import parse_number
    from vmci_tui.tui.screens.header_screen import PHYS_BASE, shown_value

    fields = session.document.state.header
    assert fields is not None

    def make(typed: str) -> Edit:
        if name == PHYS_BASE:
            edit = Edit.of(edit_head.set_phys_base, parse_number(typed))
        else:
            edit = Edit.of(edit_head.set_header, name, literal(typed))
        return edit.named(f"set header.{name}={visible(typed)}")

    hint = "decimal, may be negative, or hex with 0x" if name == PHYS_BASE else "at most 64 bytes"
    ask_edit(node, session, f"{name} in the header", make, shown_value(fields, name), hint)


def memory(node: DOMNode, session: Session, cursor: int) -> None:
    """Show guest memory at the cursor of the hex view, else where the entry points, else at its first range."""
    from vmci_tui.document.memory_document import memory_document
    from vmci_tui.tui.screens.memory_screen import MemoryScreen

    document = session.document
    dump = document.dump
    if dump is None or not dump.guest_memory.size:
        say(node, "there is no guest memory in this file", "warning")
        return
    ranges, history = dump.guest_memory, document.state.entry
    paddr = document.layout.memory.paddr_of(cursor)
    if paddr is None and history is not None and ranges.range_at(history.entry.paddr):
        paddr = history.entry.paddr
    if paddr is None:
        paddr = next(item.paddr for item in ranges.ranges if item.offset is not None)
    node.app.push_screen(MemoryScreen(memory_document(dump, document.name), paddr))


def commands(node: DOMNode, session: Session, cursor: int, key: bytes | None) -> None:
    """Show the edits so far as shell commands, and the commands that show the bytes at `cursor` and the `key`."""
    from vmci_tui.render.shell_script import look_commands
    from vmci_tui.tui.screens.script_screen import CommandsScreen

    looks = look_commands(session.document, cursor, key)
    node.app.push_screen(CommandsScreen(session.commands_so_far(), tuple(looks)))
