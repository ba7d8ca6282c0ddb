"""Findings about well-formed values that still mislead a reader (codes T13, T16 to T18), and about texts
that a native program or an older release cannot use (T23 to T25).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vmci_tui.common.safe_text import visible
from vmci_tui.common.span import Span
from vmci_tui.document import edit_text
from vmci_tui.document.derived_entry import may_be_from_qemu
from vmci_tui.document.edit import Edit
from vmci_tui.findings.finding import Context, Finding, new_finding
from vmci_tui.formats.vmcoreinfo import Line, Vmcoreinfo
from vmci_tui.knowledge.debug_packages import garbage_build_id
from vmci_tui.knowledge.makedumpfile_releases import need_message, need_of
from vmci_tui.knowledge.native_needs import unmet

_OCTAL = re.compile(rb"(?:NUMBER|SIZE|OFFSET|LENGTH)\([^\n=]*\)=-?0+[0-9]|(?:PAGESIZE|CRASHTIME)=0+[0-9]")
_X86_TEXT = 0xFFFFFFFF81000000
"""Where x86-64 links _stext: __START_KERNEL_map + CONFIG_PHYSICAL_START, 16 MiB in every distribution's kernel."""
_SHOWN = 3
"""Missing keys that a message names."""


def check(context: Context) -> Iterator[Finding]:
    """Check values that parse; yield nothing without a text."""
    text = context.state.vmcoreinfo
    if text is None or not text.text:
        return
    if _OCTAL.search(text.text):
        yield from (_octal(context, line) for line in text.lines if _OCTAL.match(line.raw))
    yield from _build_id(context, text)
    yield from _generated(context, text)
    yield from _makedumpfile(context, text)
    yield from _native(context, text)
    if context.dump is not None and context.dump.machine == "x86_64":
        if context.state.entry is not None or may_be_from_qemu(context.state.notes, context.dump.machine):
            yield from _phys_base(context, text)
        yield from _offset(context, text)


def _octal(context: Context, line: Line) -> Finding:
    key, value = line.key or b"", line.value or b""
    sign = b"-" if value.startswith(b"-") else b""
    plain = sign + (value.removeprefix(b"-").lstrip(b"0") or b"0")
    return new_finding(
        "T13",
        f"{visible(key[:60])} has the value {visible(value[:40])}, which some readers read as octal",
        _value_span(context, line),
        Edit.of(edit_text.set_line, number=line.number, body=key + b"=" + plain).named("remove the leading zeros"),
    )


def _phys_base(context: Context, text: Vmcoreinfo) -> Iterator[Finding]:
    """Check phys_base; QEMU uses only the first line (7.2.22, dump/dump.c vmcoreinfo_update_phys_base)."""
    line = next(iter(text.all(b"NUMBER(phys_base)")), None)
    value = (line.value or b"") if line else b""
    if line is None or not re.fullmatch(rb"-?[0-9]{2,15}", value):
        return
    read = int(value, 16) % (1 << 64)
    yield new_finding(
        "T16",
        f"phys_base is {int(value)} = {int(value) % (1 << 64):#x}, but QEMU reads {read:#x}",
        _value_span(context, line),
    )


def _offset(context: Context, text: Vmcoreinfo) -> Iterator[Finding]:
    lines = [next(iter(reversed(text.all(key))), None) for key in (b"KERNELOFFSET", b"SYMBOL(_stext)")]
    numbers = [line and re.fullmatch(rb"[0-9a-fA-F]{1,16}", line.value or b"") for line in lines]
    if lines[0] is None or not all(numbers):
        return
    offset, start = (int(number[0], 16) for number in numbers if number)
    if start - offset != _X86_TEXT:
        yield new_finding(
            "T17",
            f"KERNELOFFSET is {offset:#x}, but SYMBOL(_stext) says {start - _X86_TEXT:#x}",
            _value_span(context, lines[0]),
        )


def _build_id(context: Context, text: Vmcoreinfo) -> Iterator[Finding]:
    line = next(iter(text.all(b"BUILD-ID")), None)
    kernel = garbage_build_id(text.osrelease or b"")
    if line is not None and kernel is not None:
        yield new_finding("T18", f"the BUILD-ID of a {kernel} kernel is garbage", _value_span(context, line))


def _makedumpfile(context: Context, text: Vmcoreinfo) -> Iterator[Finding]:
    release = text.osrelease or b""
    need, line = need_of(release, context.makedumpfile), next(iter(text.all(b"OSRELEASE")), None)
    if need is not None and line is not None:
        older = f"an older one {need.why} (Linux {need.since} and later)"
        why = "makedumpfile then says `The kernel version is not supported.` and continues, but do not trust what "
        yield new_finding(
            "T24", need_message(need, release), _value_span(context, line), why=f"{why}it keeps with -d: {older}"
        )


def _native(context: Context, text: Vmcoreinfo) -> Iterator[Finding]:
    machine = context.dump.machine if context.dump is not None else None
    for need, lacking in unmet(text, machine):
        what = ", ".join(lacking[:_SHOWN]) + (f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else "")
        says = f": `{need.says}`" if need.says else ""
        span = context.text_span(0, len(text.text))
        yield new_finding("T25", f"{need.reader} of {machine} gives up {need.over} {what}{says}", span)


def _generated(context: Context, text: Vmcoreinfo) -> Iterator[Finding]:
    """Check for SRCFILE: no kernel writes it, makedumpfile.c write_vmcoreinfo_data does, as the last lines."""
    line = next((line for line in reversed(text.lines) if (line.key or b"").startswith(b"SRCFILE(")), None)
    if line is not None:
        message = f"{visible((line.key or b'')[:60])} is in the text: `makedumpfile -g` made it"
        yield new_finding("T23", message, context.text_span(line.offset, len(line.body)))


def _value_span(context: Context, line: Line) -> Span | None:
    value = line.value or b""
    return context.text_span(line.offset + len(line.key or b"") + 1, max(len(value), 1))
