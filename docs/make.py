"""Make the pages of findings, readers, keys and JSON, and the manual page: python docs/make.py [--check]"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vmci_tui import __version__
from vmci_tui.bench import chosen, craft
from vmci_tui.cli.arguments import OF_AN_IMAGE, parser
from vmci_tui.cli.examples import EXAMPLES, note
from vmci_tui.findings.catalogue import GROUPS, catalogue
from vmci_tui.knowledge.glossary import KeyInfo, explain, known_keys
from vmci_tui.readers import qemu
from vmci_tui.readers.key_readings import readings
from vmci_tui.readers.rule import KILLED, Reader, Rule
from vmci_tui.readers.verdicts import DEFAULT, READERS
from vmci_tui.readers.version import numbers_text
from vmci_tui.render.verdict_report import STAGES

sys.path.insert(0, str(Path(__file__).parent))
from json_page import json_page

_HERE = Path(__file__).parent
_ALL: tuple[Reader[Any], ...] = (qemu.READER, *READERS)
_HEAD = "<!-- Made by docs/make.py from the code: change it there. -->"


def findings_page() -> Iterator[str]:
    """Yield the page of findings: for every code what, why, who, an example and the fix."""
    yield from (_HEAD, "# Findings", "")
    yield "`vmci check FILE` reports them. The letter of a code is its group; codes never change. *Who* lists the"
    yield "readers that refuse the file because of it; readers in brackets only complain or read another value."
    yield "*Try it* is a command that makes a dump with the finding, with the message of the check below it; M13 needs"
    yield "the tables of a whole kernel, which no made dump has."
    group = ""
    for code, kind in catalogue().items():
        if code[0] != group:
            group = code[0]
            yield from ("", f"## {group}: {GROUPS[group].lower()}")
        who = ", ".join(_who(code)) or "no modelled reader"
        yield from ("", f"### {code}: {kind.what}", "", f"*{kind.severity}*: {kind.why}.", "")
        yield from (f"- Who: {who}", f"- Example: {kind.example}", f"- Fix: {kind.cure}")
        yield from _example(code)


def _example(code: str) -> Iterator[str]:
    """Yield a command that makes the finding, its message, and the codes that come with it.

    Nothing for one that needs the tables of a whole kernel, which no tiny dump has.
    """
    if not catalogue()[code].craft:
        return
    made = craft(chosen([code]))
    said = next(item for item in made.findings if item.code == code)
    yield f"- Try it: `vmci craft --defect {code}` ({made.defects[0].does})"
    yield f"  - `` {said.code} {said.severity}: {said.message} ``"
    if beside := [other for other in made.codes if other != code]:
        yield f"  - also reported: {', '.join(beside)}"


def _who(code: str) -> Iterator[str]:
    for reader in _ALL:
        mine = [rule for rule in reader.rules if rule.cause == code]
        if mine:
            yield reader.name if any(rule.refuses for rule in mine) else f"({reader.name})"


def readers_page() -> Iterator[str]:
    """Yield the page of readers: how each is run, and its rules in its own order."""
    yield from (_HEAD, "# How each reader decides", "")
    yield "Rules are listed in the order in which the program applies them; the first refusing rule that matches"
    yield "decides. Words that a program prints are quoted. A rule holds for all versions unless it names some."
    yield "How a program dies on numbers that it does not check (signals, stack guards, what malloc allows) is modelled"
    yield "after experiments with one build; see `deaths.py` in the folders of crash and makedumpfile."
    for reader in DEFAULT.all:
        yield from ("", f"## {reader.name} {reader.title}", "", f"Run as `{reader.command}`.", "")
        yield from (f"Checked with {', '.join(reader.known)}.", "")
        for rule in reader.rules:
            yield from _rule(rule)
    known = _HERE / "disagreements.md"
    yield from ("", "## Known disagreements", "", *known.read_text().splitlines())


def _rule(rule: Rule[Any]) -> Iterator[str]:
    what = f"refuses {STAGES[rule.stage]}" if rule.refuses else "continues"
    prints = f"is {rule.words}" if rule.words.startswith(KILLED) else f"says `{rule.words}`"
    words = f"; {prints}" if rule.words else ""
    seen = "" if rule.observed else "; not observed in a run, so the verdict is unknown"
    since = f"; from {numbers_text(rule.since)} on" if rule.since is not None else ""
    until = f"; before {numbers_text(rule.until)}" if rule.until is not None else ""
    yield f"- **{rule.name}** ({rule.cause}, {what}{words}{seen}{since}{until}): {rule.why} *{rule.source}*"


def keys_page() -> Iterator[str]:
    """Yield the page of keys: every key that the glossary describes by itself."""
    yield from (_HEAD, "# Keys of the vmcoreinfo text", "")
    yield "`vmci explain KEY=VALUE` prints the same for one key, and how each reader parses the value. The base is in"
    yield "brackets; base 0 is C's: a leading 0 is octal, 0x is hex. If no reader is named, no modelled reader uses"
    yield "the key. A reader uses a key in all versions that it was checked with (readers.md), unless a first one is"
    yield "named."
    entries = [entry for key in known_keys() if (entry := explain(key)) is not None]
    for form in sorted({_form(entry) for entry in entries}):
        yield from ("", f"## {f'`{form}`' if form else 'Keys without a form'}")
        mine = [entry for entry in entries if _form(entry) == form]
        brief = [entry for entry in mine if not _more(entry)]
        yield from [""] * bool(brief)
        yield from (f"- `{entry.key}`: {entry.what}{_read_by(entry)}" for entry in brief)
        for entry in (item for item in mine if _more(item)):
            yield from (
                "",
                f"### `{entry.key}`",
                "",
                f"{entry.what}{_read_by(entry)}",
                "",
                f"- Line: `{entry.written}`",
            )
            yield from _more(entry)


def _form(entry: KeyInfo) -> str:
    """Return the form, as `OFFSET(STRUCT.MEMBER)`; empty for a key without one."""
    return entry.form if "(" in entry.form else ""


def _more(entry: KeyInfo) -> list[str]:
    """Return the details, one line each."""
    out = [f"- {reader}, if wrong or missing: {words}" for reader, words in entry.breaks]
    out += [f"- {entry.note}"] if entry.note else []
    out += [f"- Formula{'' if machine == 'all' else f' of {machine}'}: `{f}`" for machine, f in entry.formulas]
    kernels = (entry.since and f"since {entry.since}", entry.gone_in and f"removed in {entry.gone_in}")
    written = [", ".join(filter(None, kernels)), ", ".join(entry.machines), entry.when or ""]
    if any(written):
        out.append(f"- Written: {'; '.join(filter(None, written))}")
    return out + ([f"- See: {', '.join(f'`{key}`' for key in entry.see)}"] if entry.see else [])


def _read_by(entry: KeyInfo) -> str:
    """Return the readers that use the key, and how each reads it."""
    read = readings(DEFAULT.all, entry.key.encode())
    return " *" + ", ".join(f"{item.reader} ({item.how_and_since})" for item in read) + "*" if read else ""


def manual() -> Iterator[str]:
    """Yield the manual page in roff, from the texts of the parser."""
    top = parser()
    yield from (r".\" Made by docs/make.py from the code: change it there.", f'.TH VMCI 1 "" "vmci {__version__}"')
    yield from (".SH NAME", r"vmci \- inspect and repair the VMCOREINFO note in VM memory dumps")
    yield from (".SH SYNOPSIS", r".B vmci", r"[\fIFILE\fR [\fIBLOB\fR]]", ".br", r".B vmci", r"\fICOMMAND\fR ...")
    yield from (".SH DESCRIPTION", *_paragraph(_USE), ".SH COMMANDS")
    commands = next(action for action in top._actions if isinstance(action, argparse._SubParsersAction))
    for name, command in commands.choices.items():
        yield from (
            ".SS " + _roff(name),
            *_paragraph(command.description or ""),
            ".PP",
            *_paragraph(command.format_usage().removeprefix("usage:")),
        )
        yield from (line for action in command._actions for line in _option(action))
        if words := note(name):
            yield from (".PP", *_paragraph(words))
        yield from (".PP", "Examples:")
        yield from (line for example in EXAMPLES[name] for line in (".PP", rf"\fB{_roff(example)}\fR"))
    yield from (".SH EXIT STATUS", *_paragraph(_EXIT_CODES))
    yield from (".SH COMPLETION", *_paragraph("vmci --print-completion bash, zsh or tcsh"))
    yield from (".SH EXAMPLES", *(line for what, how in _EXAMPLES for line in (".TP", rf"\fB{_roff(how)}\fR", what)))
    yield from (".SH ENVIRONMENT", *(line for name, what in _ENVIRONMENT for line in (".TP", rf"\fB{name}\fR", what)))
    yield from (".SH FILES", *(line for name, what in _FILES for line in (".TP", rf"\fI{_roff(name)}\fR", what)))
    yield from (".SH SEE ALSO", *(f".BR {name} ({n})" + mark for name, n, mark in _SEE))


_USE = (
    "Start with `vmci check FILE`. `vmci [FILE [BLOB]]` opens the app; it takes --map, --snapshot, --blocks, --no-stop "
    "and several FILE@PADDR as the commands do. `vmci COMMAND --help` has examples."
)
_EXIT_CODES = """\
0 success; 1 an error is found (check), an error remains (repair), a difference (ask), or a question about a save;
2 wrong usage; 3 a file is unreadable or not a dump; 4 not saved, or the output not written; 130 interrupted;
141 the reader of the output closed it"""
_EXAMPLES = (
    ("What is wrong with a dump, which programs refuse it, and what to do next.", "vmci check dump.elf"),
    ("Whether crash 8.0.6 reads it: exit code 1 if not.", "vmci check --for crash --reader crash=8.0.6 dump.elf"),
    ("A copy with every safe fix, and with the note from its memory.", "vmci repair dump.elf -o dump-fixed.elf"),
    ("What a key means, and how each reader reads this value.", "vmci explain NUMBER(phys_base)=436207616"),
)
_ENVIRONMENT = (
    ("NO_COLOR", "No colour, in the app and on a terminal."),
    ("DEBUGINFOD_URLS", "The servers that drgn and debuginfod ask for a vmlinux; the next commands name both."),
)
_FILES = (
    ("~/.config/vmci-tui/settings.toml", "Keys, colours and versions of readers; XDG_CONFIG_HOME moves it."),
    ("FILE.vmci-undo", "The old bytes of an in-place save, beside FILE: for vmci undo."),
)
_SEE = (("crash", 8, ","), ("makedumpfile", 8, ","), ("drgn", 1, ","), ("readelf", 1, ","), ("eu-readelf", 1, ""))


def _option(action: argparse.Action) -> Iterator[str]:
    """Yield the description of one option or argument."""
    known = (OF_AN_IMAGE[option] for option in action.option_strings if option in OF_AN_IMAGE)
    about = next(known, action.help)
    if about in (None, argparse.SUPPRESS) or isinstance(action, argparse._HelpAction):
        return
    name = action.metavar or action.dest
    shown = "{" + ",".join(map(str, action.choices)) + "}" if action.choices and not action.metavar else str(name)
    value = "" if action.nargs == 0 else shown if action.nargs != "?" or not action.option_strings else f"[{shown}]"
    words = ", ".join(action.option_strings)
    heading = rf"\fB{_roff(words)}\fR \fI{_roff(value)}\fR" if words else rf"\fI{_roff(value)}\fR"
    yield from (".TP", heading if value else rf"\fB{_roff(words)}\fR", *_paragraph(about or ""))


def _paragraph(text: str) -> Iterator[str]:
    """Yield a line that roff fills, with single blanks."""
    yield _roff(re.sub(r"\s+", " ", text.strip()))


def _roff(text: str) -> str:
    """Return the text escaped, so that roff sees no request, escape or typographic dash in it."""
    safe = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace("`", r"\(ga")
    return rf"\&{safe}" if safe.startswith(".") else safe


PAGES = {
    "findings.md": findings_page, "readers.md": readers_page, "keys.md": keys_page, "json.md": json_page,
    "vmci.1": manual,
}  # fmt: skip


def main(arguments: list[str]) -> int:
    """Write the pages; with --check only print which are stale, and return 1 if any is."""
    stale = []
    for name, page in PAGES.items():
        text = "\n".join(page()) + "\n"
        path = _HERE / name
        if "--check" not in arguments:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(name)
    if stale:
        print(f"stale; run python docs/make.py: {', '.join(stale)}")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
