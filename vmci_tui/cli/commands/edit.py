"""`vmci set`, `append`, `strip`, `new` and `undo`: open, edit, then plan and save."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from vmci_tui.adoption import choose as adopt
from vmci_tui.adoption.kernel_symbols import wanted_symbols
from vmci_tui.adoption.made_note import made_note
from vmci_tui.cli.consent import agreed, print_harm, print_leftovers, print_missing_consent
from vmci_tui.cli.open_named import open_to_save
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import EditError, UsageError
from vmci_tui.common.safe_text import literal, visible
from vmci_tui.common.sizes import size_text
from vmci_tui.containers.guest import guest_of, raw_guest
from vmci_tui.document import edit_entry, edit_headers, edit_notes, edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit, several
from vmci_tui.document.edit_notes import FromFile, FromMemory
from vmci_tui.document.state import State
from vmci_tui.formats import entry_from_text as entry_text
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.fw_cfg_entry import FORMAT_ELF, LENGTH, Entry, EntryHistory, Write, linux_size, parse_number
from vmci_tui.formats.vmcoreinfo import TAKEN_OUT, is_indented, unindented
from vmci_tui.layers.file import FileSource, small_or_stream
from vmci_tui.opening.note_inputs import note_from, text_from
from vmci_tui.opening.open_file import new_entry
from vmci_tui.readers.verdicts import DEFAULT, ChosenReaders
from vmci_tui.render import dump_report as report
from vmci_tui.render import undo_report as report_undo
from vmci_tui.render import verdict_report as report_readers
from vmci_tui.render.kernel.made_report import made_json, made_lines, made_summary
from vmci_tui.saving.harm import harm_of
from vmci_tui.saving.last_save import complete_last_save, foreign_bytes, undo_last_save
from vmci_tui.saving.new_file import refuse_target
from vmci_tui.saving.plan import Plan, plan_copy, plan_in_place
from vmci_tui.saving.save_copy import CHECK_LIMIT, save_copy
from vmci_tui.saving.save_in_place import save_in_place

Json = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    return {"set": _set, "append": _append, "strip": _strip, "new": _new, "undo": _undo}[options.command](options)


def _set(options: argparse.Namespace) -> int:
    require_output(options)
    with open_to_save(options) as document:
        return _set_in(options, document)


def _set_in(options: argparse.Namespace, document: Document) -> int:
    if not options.pairs and not options.delete:
        raise UsageError("nothing to set", "give at least one KEY=VALUE, or --delete KEY")
    edits = [_set_pair(document.state, pair) for pair in options.pairs]
    edits += [Edit.of(edit_text.delete_key, literal(key)) for key in options.delete]
    label = "set " + ", ".join(visible(pair) for pair in options.pairs) if options.pairs else "delete keys"
    document.edit(Edit.of(several, tuple(edits)).named(label))
    if options.blob and document.entry_unsaved:
        if document.dump_unsaved:
            raise UsageError("the dump and its entry are two files", "set keys and entry.* in separate commands")
        document = document.entry_alone()
    return save(options, document)


def _set_pair(state: State, pair: str) -> Edit:
    key, equals, value = pair.partition("=")
    if not equals or not key:
        raise UsageError(f"'{visible(pair)}' is not KEY=VALUE", "write for example PAGESIZE=4096")
    if key.startswith("entry."):
        return Edit.of(edit_entry.set_field, key.removeprefix("entry."), parse_number(value))
    if key == "header.phys_base":
        return Edit.of(edit_headers.set_phys_base, parse_number(value))
    if key.startswith("header."):
        return Edit.of(edit_headers.set_header, key.removeprefix("header."), literal(value))
    if state.note is None and state.entry is not None and not state.notes:
        raise EditError("an entry has no keys", "set its fields, for example entry.size=4132")
    return Edit.of(edit_text.set_key, literal(key), literal(value))


def _append(options: argparse.Namespace) -> int:
    require_output(options)
    if options.raw_at is not None and options.note is None:
        raise UsageError("--raw-at needs --note", "use append DUMP --note IMAGE --raw-at PADDR")
    if options.verbatim and options.text is None:
        raise UsageError("--verbatim needs --text", "use append DUMP --text FILE --verbatim")
    with open_dump(options) as document:
        return _append_to(options, document)


def _append_to(options: argparse.Namespace, document: Document) -> int:
    assert document.dump is not None
    order = document.dump.order
    if options.from_kernel:
        return _append_made(options, document)
    if options.text is not None:
        text = text_from(options.text)
        if is_indented(text) and not options.verbatim:
            text = unindented(text)
            say(f"vmci: {TAKEN_OUT}; --verbatim keeps them")
        found: FromFile | FromMemory = FromFile(edit_notes.note_around(text, order), options.text, "text")
    elif options.from_memory is not None:
        found = _from_memory(options.from_memory, document, order)
    elif options.raw_at is not None:
        found = _from_image(options.note, options.raw_at, order)
    else:
        found = FromFile(note_from(options.note), options.note)
    document.edit(Edit.of(edit_notes.append_found, found, order))
    return save(options, document)


def _append_made(options: argparse.Namespace, document: Document) -> int:
    """Append the note that the kernel in the dump's memory would have written. Raises EditError."""
    assert document.dump is not None
    guest = guest_of(document.dump)
    text = wanted_symbols(document.state.vmcoreinfo, guest, shown_progress()).text
    made = made_note(guest, text, shown_progress())
    say(f"vmci: {made_summary(made)}")
    document.edit(made.edit(document.dump.order))
    return save(options, document, {"made": made_json(made)}, tuple(made_lines(made)) if options.dry_run else ())


def _from_memory(paddr: str, document: Document, order: ByteOrder) -> FromMemory:
    """Return the note at `paddr` of the dump's own memory, or the proved one for "". Raises EditError."""
    named = parse_number(paddr) if paddr else None
    judged = adopt.choice_of(adopt.search_for(document, named, shown_progress()), named)
    say(f"vmci: {judged.why}")
    return adopt.found_note(judged.candidate, order)


def _from_image(path: str, paddr: str, order: ByteOrder) -> FromFile:
    """Return the proved note of a flat memory image that begins at `paddr`. Raises OpenError, EditError."""
    with FileSource(path) as source:
        judged = adopt.choice_of(adopt.search(raw_guest(source, parse_number(paddr)), shown_progress()), None)
    say(f"vmci: {judged.why}")
    return FromFile(judged.candidate.note(order), path)


def _strip(options: argparse.Namespace) -> int:
    require_output(options)
    with open_dump(options) as document:
        document.edit(Edit.of(edit_notes.strip))
        return save(options, document)


def open_dump(
    options: argparse.Namespace, lacks: str = "notes", hint: str = "name a dump; `vmci set` changes an entry"
) -> Document:
    """Open FILE. Raises OpenError; for an entry UsageError with what it lacks, and the hint."""
    document = open_to_save(options)
    if document.dump is None:
        document.close()
        raise UsageError(f"{document.name} is an entry, which has no {lacks}", hint)
    return document


def require_output(options: argparse.Namespace) -> None:
    """Raise UsageError without -o and --in-place, unless --dry-run asks for the plan of a copy only."""
    if options.output is None and not getattr(options, "in_place", False) and not options.dry_run:
        raise UsageError("missing output", "use -o OUT or --in-place, or --dry-run to print the plan of a copy only")


def save(
    options: argparse.Namespace,
    document: Document,
    more: Json | None = None,
    lines: Sequence[str] = (),
    readers: ChosenReaders = DEFAULT,
) -> int:
    """Save as planned, or print the plan; return 1 if consent is missing.

    The file is saved first, then reported. `more` is added to the JSON; without --json `lines` are printed.
    """
    in_place = getattr(options, "in_place", False)
    plan = plan_in_place(document) if in_place else plan_copy(document, options.output or "")
    if options.output is not None:
        refuse_target(document.source, options.output)
    harm = harm_of(document, plan, readers)
    given = agreed(options)
    unasked = harm.unasked(given)
    saved: tuple[str, ...] = ()
    if not (unasked or options.dry_run):
        saved = _saved_in_place(document, plan) if in_place else _copied(options, document, plan)
    if options.json:
        found = {"plan": report.plan_json(plan), "choice": plan.choice} | report_readers.harm_json(harm)
        print_json({"file": document.name} | found | (more or {}))
    else:
        print_lines(lines)
        if options.dry_run:
            print_lines(report.plan_text(plan, document.source))
    print_harm(harm, given)
    print_missing_consent(unasked)
    for words in saved:
        say(words)
    return int(bool(unasked))


def _saved_in_place(document: Document, plan: Plan) -> tuple[str, ...]:
    """Save, and return the messages about it."""
    saved = save_in_place(document, plan)
    if plan.empty:
        return (f"nothing was written: {saved.name} has these bytes already",)
    words = f"saved {saved.name} in place ({plan.strategy}, {plan.bytes_written} bytes); `vmci undo FILE` undoes it"
    more = ["the file is read-only: it was made writable for the save only"] if saved.forced else []
    if saved.given_up:
        which = "1 older save" if saved.given_up == 1 else f"{saved.given_up} older saves"
        more.append(f"vmci: {which} can no longer be undone: the journal has no room for the old bytes")
    return words, *more


def _copied(options: argparse.Namespace, document: Document, plan: Plan) -> tuple[str, ...]:
    """Save a copy, and return the message about it."""
    asked = getattr(options, "check_limit", None)
    limit = parse_number(asked) if asked else CHECK_LIMIT
    print_leftovers(options.output)
    saved = save_copy(document, plan, options.output, shown_progress(), limit)
    checked = f"; {size_text(saved.checked)} of guest memory read back: identical" if document.dump else ""
    what = "an ELF dump" if document.is_image else "an identical copy"
    same = f"; {what} of {document.name}" if plan.empty else ""
    return (f"saved {saved.name}: {size_text(saved.size)}{checked}{same}",)


def _undo(options: argparse.Namespace) -> int:
    if options.finish and options.force:
        raise UsageError("--force undoes a save, --finish completes it", "use one of them")
    if options.dry_run and not options.force:
        raise UsageError("--dry-run needs --force", "use vmci undo FILE --force --dry-run")
    lost = foreign_bytes(options.file) if options.force else ()
    saved = None
    if not options.dry_run:
        saved = complete_last_save(options.file) if options.finish else undo_last_save(options.file, options.force)
    if options.json:
        found: Json = {"overwrites": report_undo.overwritten_json(lost)} if options.force else {}
        print_json({"file": visible(options.file), "size": saved.size if saved else None} | found)
    else:
        print_lines(report_undo.overwritten_text(lost))
    if saved is not None:
        say(f"{saved.name}: the last in-place save is {'complete' if options.finish else 'undone'}")
    return 0


def _new(options: argparse.Namespace) -> int:
    if options.output is None and not options.dry_run:
        raise UsageError("missing output", "use -o BLOB")
    history, label = _first_entry(options)
    for name in Entry._fields:
        if getattr(options, name) is not None:
            history = history.with_field(name, parse_number(getattr(options, name)))
    document = new_entry(EntryHistory("blob"))
    document.edit(Edit.of(edit_entry.set_entry, history).named(label))
    return save(options, document)


def _first_entry(options: argparse.Namespace) -> tuple[EntryHistory, str]:
    """Return the entry before the options change its fields, and the edit's label."""
    path = options.from_gdb if options.from_gdb is not None else options.from_sysfs
    if path is None:
        whole = Write(0, LENGTH, Entry(0, FORMAT_ELF, linux_size(4096), 0).pack())
        return EntryHistory("blob", (whole,)), "a new entry"
    data = small_or_stream(path, entry_text.LIMIT, "a text with an entry")
    history = entry_text.from_gdb(data) if options.from_gdb is not None else entry_text.from_sysfs(data)
    if history.has_vmcoreinfo is False:
        say("vmci: QEMU reports no note (has_vmcoreinfo is false); a blob cannot record this")
    return history, f"the entry in {visible(path)}"
