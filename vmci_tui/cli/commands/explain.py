"""`vmci explain`: print what a key means, and how each reader parses it."""

from __future__ import annotations

import argparse
from typing import Any

from vmci_tui.cli.kernel_address import as_bytes, number_of
from vmci_tui.cli.output import print_json, print_lines
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.knowledge.glossary import KeyInfo, explain, named, nearest, search
from vmci_tui.readers.key_readings import KeyReading, readings
from vmci_tui.readers.verdicts import DEFAULT
from vmci_tui.render.key_report import explained, made_of


def run(options: argparse.Namespace) -> int:
    """Print the meaning of a key or an address, or the keys that a search finds.

    Raises UsageError for a key that no kernel writes.
    """
    if options.search is not None:
        return _search(options)
    if options.key is None:
        raise UsageError("missing key", "use vmci explain KEY, KEY=VALUE, or --search WORD")
    if (address := number_of(options.key)) is not None:
        from vmci_tui.cli.commands.kernel.explain_in_memory import explain_address

        return explain_address(options, address)
    name, equals, given = options.key.partition("=")
    key, value = as_bytes(name), as_bytes(given) if equals else None
    entry = explain(key) or explain(key := _of_bare_name(key))
    if entry is None:
        near = ", ".join(nearest(key))
        raise UsageError(
            f"no kernel writes '{visible(key)}'",
            f"did you mean {near}?" if near else "`vmci explain --search WORD` searches all known keys",
        )
    said = None
    if options.file is not None:
        from vmci_tui.cli.commands.kernel.explain_in_memory import key_in_memory

        said = key_in_memory(options, key, value)
        value = said.value
    if options.json:
        seen, read = made_of(key, value)
        out = _as_json(entry) | {"decoded": [item._asdict() for item in seen]}
        more = {} if said is None else {"memory": said.json}
        print_json(out | {"readers": dict(map(_reading_json, read))} | more)
    else:
        lines = explained(key, value)
        # The command at the end is this one, and memory is said of its file.
        print_lines(lines if said is None else (*lines[:-2], said.words))
    return 0


def _of_bare_name(name: bytes) -> bytes:
    """Return the key of a bare name that most readers use, and report the others; `name` itself if there is none."""
    first, *others = sorted(named(name), key=lambda key: -len(readings(DEFAULT.all, key))) or (name,)
    if others:
        say(f"vmci: {visible(name)} is {visible(first)} here; there is also {', '.join(map(visible, others))}")
    return first


def _search(options: argparse.Namespace) -> int:
    found = search(options.search)
    if options.json:
        print_json({"search": visible(options.search), "keys": [_as_json(item.entry) for item in found]})
    elif found:
        width = max(len(item.entry.key) for item in found)
        for item in found:
            print_lines([f"{item.entry.key:{width}}  {item.entry.what}"])
            print_lines([f"{'':{width}}  ({item.because})"] if item.because else [])
    else:
        print_lines(["nothing found"])
    return 0


def _as_json(entry: KeyInfo) -> dict[str, Any]:
    plain = entry._asdict()
    return plain | {"formulas": dict(entry.formulas), "breaks": dict(entry.breaks)}


def _reading_json(reading: KeyReading) -> tuple[str, dict[str, Any]]:
    out: dict[str, Any] = {"version": reading.version, "how": reading.how, "since": reading.since or None}
    if reading.value is not None:
        shown, number, _, problem = reading.value
        out |= {"shown": shown, "number": number, "problem": problem or None}
    return reading.reader, out
