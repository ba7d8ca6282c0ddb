"""Makes the pages of findings and of readers from the code: python docs/make.py [--check]"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vmci_tui.core.checks.catalogue import CATALOGUE
from vmci_tui.core.readers import qemu
from vmci_tui.core.readers.base import Reader, Rule
from vmci_tui.core.report_readers import STAGES
from vmci_tui.core.verdicts import READERS

_HERE = Path(__file__).parent
_ALL: tuple[Reader[Any], ...] = (qemu.READER, *READERS)
_GROUPS = {"E": "The entry", "N": "The notes", "T": "The text", "C": "The container", "M": "Memory"}
_HEAD = "<!-- Made by docs/make.py from the code: change it there. -->"


def findings_page() -> Iterator[str]:
    """Every code: what, who, why, an example, the fix."""
    yield from (_HEAD, "# Findings", "")
    yield "`vmci check FILE` lists them; the letter of a code groups it, and codes stay what they are. *Who* are the"
    yield "readers that a rule of theirs makes refuse over it, or (in brackets) go on with a complaint or other value;"
    yield "without any, no reader of those below minds."
    group = ""
    for code, kind in CATALOGUE.items():
        if code[0] != group:
            group = code[0]
            yield from ("", f"## {group}: {_GROUPS[group].lower()}")
        who = ", ".join(_who(code)) or "no reader"
        yield from ("", f"### {code}: {kind.what}", "", f"*{kind.severity}*: {kind.why}.", "")
        yield from (f"- Who: {who}", f"- Example: {kind.example}", f"- Fix: {kind.cure}")


def _who(code: str) -> Iterator[str]:
    for reader in _ALL:
        mine = [rule for rule in reader.rules if rule.cause == code]
        if mine:
            yield reader.name if any(rule.refuses for rule in mine) else f"({reader.name})"


def readers_page() -> Iterator[str]:
    """Every reader: how it is run, and its rules in its own order."""
    yield from (_HEAD, "# How each reader decides", "")
    yield "The rules in the order in which the program comes to them: the first that holds and refuses decides. What a"
    yield "program prints is given word for word. Each rule was held against the program in the version named."
    for reader in _ALL:
        yield from ("", f"## {reader.name} {reader.version}", "", f"Run as `{reader.command}`.", "")
        for rule in reader.rules:
            yield from _rule(rule)
    known = _HERE / "disagreements.md"
    yield from ("", "## Known disagreements", "", *known.read_text().splitlines())


def _rule(rule: Rule[Any]) -> Iterator[str]:
    what = f"refuses {STAGES[rule.stage]}" if rule.refuses else "goes on"
    words = f"; says `{rule.words}`" if rule.words else ""
    seen = "" if rule.seen else "; never seen in a run, so the verdict is unknown"
    yield f"- **{rule.name}** ({rule.cause}, {what}{words}{seen}): {rule.why} *{rule.source}*"


PAGES = {"findings.md": findings_page, "readers.md": readers_page}


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check say which are not as the code makes them."""
    stale = []
    for name, page in PAGES.items():
        text = "\n".join(page()) + "\n"
        path = _HERE / name
        if "--check" not in arguments:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(name)
    if stale:
        print(f"make them anew with python docs/make.py: {', '.join(stale)}")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
