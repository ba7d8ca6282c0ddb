"""Join findings and verdicts: each finding gets the readers that it concerns, and a problem that
only a reader sees becomes a finding of its own. The rules themselves are in the readers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vmci_tui.common.span import Span
from vmci_tui.containers.elf.contents import memory_end
from vmci_tui.containers.elf.dump import ElfDump
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.findings.checks.note import beside_linux
from vmci_tui.findings.finding import Context, Finding, ReaderImpact, fix_of, new_finding
from vmci_tui.formats.elf_records import PT_NOTE
from vmci_tui.readers.rule import FiredRule, Rule, Verdict

_ABSENT = "N01"
_WHYS = 2
"""Different reasons of readers that one finding shows; the readers' screen shows all."""


def grouped(found: Iterable[Finding], verdicts: Mapping[str, Verdict], context: Context) -> Iterator[Finding]:
    """Yield the findings of the checks with their readers, then those that only readers see."""
    found = list(found)
    addresses = next((item.code for item in found if catalogue()[item.code].group == "addresses"), None)
    fired: dict[str, list[tuple[str, FiredRule]]] = {}
    for reader, verdict in verdicts.items():
        for cause, item in _causes(verdict, context, addresses):
            fired.setdefault(cause, []).append((reader, item))
    for finding in found:
        apart = catalogue()[finding.code].one_by_one
        mine = [pair for pair in fired.get(finding.code, ()) if not apart or _about(pair[1].span, finding.span)]
        for pair in mine:
            fired[finding.code].remove(pair)
        impacts = _impacts(mine)
        named = {item.reader for item in impacts}
        others = tuple(item for item in finding.readers if item.reader in verdicts and item.reader not in named)
        yield finding._replace(readers=(*impacts, *others, *(_blind(verdicts) if finding.code == addresses else ())))
    for code, rest in fired.items():
        if rest:
            yield _seen_by_readers(code, rest, context)


def _blind(verdicts: Mapping[str, Verdict]) -> tuple[ReaderImpact, ...]:
    """Return the readers that accept the file, but then read no kernel memory."""
    why = "It accepts the file, but then reads no kernel memory: it looks for that memory where p_vaddr says."
    return tuple(ReaderImpact(name, False, v.unread, why) for name, v in verdicts.items() if v.state == "opens")


def _causes(verdict: Verdict, context: Context, addresses: str | None) -> Iterator[tuple[str, FiredRule]]:
    """Yield the rules that apply, each with the code of the finding that it stands for in this file.

    `addresses`: the code of wrong p_vaddrs, which make a reader fail in memory that the file has.
    """
    fired = verdict.fired
    if verdict.reader.name == "qemu":  # one line of its table applies; the rest means nothing
        fired = fired[: next((n for n, item in enumerate(fired, 1) if item.rule.refuses), len(fired))]
    foreign = next((item.rule.cause for item in fired if catalogue()[item.rule.cause].group == "foreign"), None)
    why_absent = any(item.rule.refuses and item.rule.cause != _ABSENT for item in verdict.fired)
    for item in fired:
        cause = _cause(item.rule, context, foreign, addresses)
        if cause == _ABSENT and context.state.note is not None:
            cause = None if why_absent else "N15"
        if cause is not None:
            yield cause, item


def _cause(rule: Rule[Any], context: Context, foreign: str | None, addresses: str | None) -> str | None:
    """Return the code that a rule stands for in this file; None if nothing that is open is at fault."""
    state, group = context.state, catalogue()[rule.cause].group
    if state.note is not None and state.note.is_windows and rule.stage == "after":
        return "N13"  # the header is not a text: it is not at fault for what readers make of it
    if group == "misread" and foreign is not None:
        return foreign
    if group == "memory" and addresses is not None:
        return addresses
    if rule.name == "xen-text" and beside_linux(state.notes) is not None:
        return "M12"
    if rule.cause == "C13" and context.dump is not None and context.dump.container != "elf":
        return "C17"
    if rule.cause == "C02" and rule.name == "too-small" and _all_there(context):
        return "M01" if state.note is not None else _ABSENT
    if rule.cause == "C03" and (context.arranged or _is_without_notes(context)):
        return _ABSENT
    if rule.cause == "N02" and all(note.whole for note in state.notes):
        return "N15"  # the reader's walk goes wrong: no note is broken
    if rule.cause == "E08" and context.dump is None:
        return None  # no dump is open, so the region is not known
    return rule.cause


def _is_without_notes(context: Context) -> bool:
    """Whether an ELF file has its one PT_NOTE, and nothing is in it, as in that of a memory image."""
    dump = context.dump
    return isinstance(dump, ElfDump) and dump.segments.count_of(PT_NOTE) == 1 and not context.state.notes


def _all_there(context: Context) -> bool:
    """Whether an ELF file, however small, holds everything that its headers name."""
    dump = context.dump
    return isinstance(dump, ElfDump) and memory_end(dump.segments) <= dump.source.size


def _about(rule: Span | None, finding: Span | None) -> bool:
    """Whether the bytes of a rule are those of a finding; without a place a rule is about all of its kind."""
    if rule is None or finding is None or rule.of != finding.of:
        return True
    return rule.offset < finding.offset + finding.length and finding.offset < rule.offset + rule.length


def _impacts(pairs: Iterable[tuple[str, FiredRule]]) -> tuple[ReaderImpact, ...]:
    return tuple(ReaderImpact(reader, item.rule.refuses, item.words, item.rule.why) for reader, item in pairs)


def _seen_by_readers(code: str, pairs: list[tuple[str, FiredRule]], context: Context) -> Finding:
    span = next((item.span for _, item in pairs if item.span is not None and item.span.length), None)
    finding = new_finding(code, catalogue()[code].what, span, fix_of(code, context), why=_why(code, pairs))
    if finding.severity == "error" and not any(item.rule.refuses for _, item in pairs):
        finding = finding._replace(severity="warning")
    if code == "C17" and context.dump is not None:  # vmci opened it: the file is not at fault if ELF readers cannot
        finding = finding._replace(severity="info")
    return finding._replace(readers=_impacts(pairs))


def _why(code: str, pairs: list[tuple[str, FiredRule]]) -> str | None:
    """Return the rules' own reasons for a finding about the text; None: the catalogue's reason is enough."""
    if not catalogue()[code].of_text:
        return None
    decisive = [item for _, item in pairs if item.rule.refuses] or [item for _, item in pairs]
    return " ".join(list(dict.fromkeys(item.rule.why for item in decisive))[:_WHYS])
