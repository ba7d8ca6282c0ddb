"""Findings about the key=value text (codes T)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vmci_tui.common.safe_text import visible
from vmci_tui.document import edit_text
from vmci_tui.document.edit import Edit
from vmci_tui.findings.finding import Context, Finding, new_finding
from vmci_tui.formats.vmcoreinfo import BEFORE_KEY, Line, Vmcoreinfo, is_indented

_APPEND_LIMIT = 79
"""The buffer of vmcoreinfo_append_str has 0x50 bytes: a longer line is cut and loses its newline."""

_NUMBERS: tuple[tuple[re.Pattern[bytes], re.Pattern[bytes], str], ...] = (
    (re.compile(rb"SYMBOL\(|(KERNELOFFSET|KERNELOFFPHYS|SAMODE31|EAMODE31|IDENTITYBASE)\Z"),
     re.compile(rb"[0-9a-fA-F]{1,16}\Z"), "hexadecimal digits without 0x"),
    (re.compile(rb"NUMBER\("), re.compile(rb"-?[0-9]{1,20}\Z|0x[0-9a-fA-F]{1,16}\Z"),
     "a decimal number, or hex with 0x"),
    (re.compile(rb"(SIZE|OFFSET|LENGTH)\(|(PAGESIZE|CRASHTIME)\Z"), re.compile(rb"[0-9]{1,20}\Z"), "a decimal number"),
    (re.compile(rb"BUILD-ID\Z"), re.compile(rb"([0-9a-fA-F]{2})+\Z"), "pairs of hexadecimal digits"),
)  # fmt: skip


def check(context: Context) -> Iterator[Finding]:
    """Check the text; yield nothing without a text."""
    text = context.state.vmcoreinfo
    if text is None:
        return
    if not text.text:
        yield new_finding("T10", "the note is empty", context.note_span(context.state.index or 0))
        return
    yield from _bytes(context, text)
    yield from _lines(context, text)
    yield from _duplicates(context, text)
    yield from _required(context, text)


def _bytes(context: Context, text: Vmcoreinfo) -> Iterator[Finding]:
    raw = text.text
    if (at := raw.find(b"\0")) >= 0:
        yield new_finding(
            "T03",
            f"the text contains a NUL at byte {at}",
            context.text_span(at, 1),
            Edit.of(edit_text.replace_bytes, old=b"\0", new=b"").named("remove the NULs"),
        )
    odd = re.search(rb"[^\x09\x0a\x0d\x20-\x7e\x00]", raw)
    if odd:
        yield new_finding(
            "T01",
            f"byte {odd[0][0]:#04x} at {odd.start()} of the text is not printable ASCII",
            context.text_span(odd.start(), 1),
        )
    if (blanks := BEFORE_KEY.search(raw)) is not None:
        count = len(BEFORE_KEY.findall(raw))
        words = f"{'every line is' if is_indented(raw) else f'{count} of {len(text.lines)} lines are'} indented"
        yield new_finding("T26", words, context.text_span(blanks.start(), len(blanks[0])), Edit.of(edit_text.unindent))
    if (at := raw.find(b"\r\n")) >= 0:
        yield new_finding(
            "T02",
            "lines end in CR LF",
            context.text_span(at, 2),
            Edit.of(edit_text.replace_bytes, old=b"\r\n", new=b"\n").named("end the lines in LF"),
        )
    if not raw.endswith(b"\n"):
        last = text.lines[-1]
        words = "the last line has no newline"
        yield new_finding("T04", words, context.line_span(last), Edit.of(edit_text.end_last_line))


def _lines(context: Context, text: Vmcoreinfo) -> Iterator[Finding]:
    yield from (_too_long(context, line) for line in text.lines if len(line.raw) > _APPEND_LIMIT)
    yield from (_broken(context, line) for line in text.lines if not line.key)
    yield from (f for line in text.lines if (f := _number(context, line)) is not None)
    page, said = text.page_size, text.all(b"PAGESIZE")
    if page is None and said and (said[-1].value or b"").isdigit():
        words = f"PAGESIZE is {visible((said[-1].value or b'')[:40])}, which is not a power of two"
        yield new_finding("T12", words, context.line_span(said[-1]))
    if page is not None and len(text.text) > page:
        yield new_finding(
            "T11", f"the text has {len(text.text)} bytes, but PAGESIZE is {page}", context.text_span(0, len(text.text))
        )


def _too_long(context: Context, line: Line) -> Finding:
    words = f"line {line.number} has {len(line.raw)} bytes, more than {_APPEND_LIMIT}"
    return new_finding("T05", words, context.line_span(line))


def _broken(context: Context, line: Line) -> Finding:
    what = "is empty" if not line.body else "has no key" if line.key == b"" else "has no '='"
    return new_finding(
        "T08",
        f"line {line.number} {what}: {visible(line.body[:60])}",
        context.line_span(line),
        Edit.of(edit_text.delete_line, number=line.number).named("delete the line"),
    )


def _number(context: Context, line: Line) -> Finding | None:
    key, value = line.key, line.value
    if not key or value is None:
        return None
    for of_key, form, wanted in _NUMBERS:
        if of_key.match(key):
            if form.match(value.removesuffix(b"\r")):  # T02 reports a CR, once for all lines
                return None
            blank = value.strip() != value and form.match(value.strip())
            wish = "a blank is before or after it" if blank else f"it must be {wanted}"
            span = (line.offset + len(key) + 1, len(value)) if value else (line.offset, len(line.body))
            return new_finding(
                "T07",
                f"{visible(key[:60])} has the value '{visible(value[:40])}': {wish}",
                context.text_span(*span),
                Edit.of(edit_text.set_line, number=line.number, body=key + b"=" + value.strip()).named(
                    "remove the blank"
                )
                if blank
                else None,
            )
    return None


def _duplicates(context: Context, text: Vmcoreinfo) -> Iterator[Finding]:
    for key, lines in text.duplicates:
        same = len({line.value for line in lines}) == 1
        numbers = ", ".join(str(line.number) for line in lines[:8])
        yield new_finding(
            "T06",
            f"{visible(key[:60])} is in {len(lines)} lines ({numbers}){' with one value' if same else ''}",
            context.line_span(lines[0]),
            Edit.of(edit_text.keep_last_key, key=key).named("keep the last one"),
            severity="info" if same else "warning",
        )


def _required(context: Context, text: Vmcoreinfo) -> Iterator[Finding]:
    first = text.lines[0]
    if first.key != b"OSRELEASE":
        missing = text.osrelease is None
        words = "the text has no OSRELEASE" if missing else "the text does not begin with OSRELEASE"
        yield new_finding("T09", words, context.line_span(first), severity="warning" if missing else "info")
