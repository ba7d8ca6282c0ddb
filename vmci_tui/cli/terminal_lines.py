"""Print lines on a terminal: in colour, and wrapped at its width between words.

Only what is printed to a terminal passes here; a pipe gets the lines as they are. The lines are safe text already, and
are never read as markup.
"""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from typing import Final

from rich.console import Console
from rich.text import Text

# fmt: off
_STYLES: Final = tuple((re.compile(pattern), style) for pattern, style in (
    (r"^[A-Z]\d\d error(?=:)|^\d+ errors?\b|^error(?=  )|^unread(?=  )", "bold red"),
    (r"^[A-Z]\d\d warning(?=:)|^\d+ warnings?\b", "bold yellow"),
    (r"^[A-Z]\d\d info(?=:)|^\d+ info\b", "bold cyan"),
    (r"^ok(?=  )|^no findings(?=:)", "bold green"),
    (r"(?<=^  .{13} )refuses(?= )|^! .*", "red"),
    (r"(?<=^  .{13} )accepts(?= )", "green"),
    (r"(?<=^  .{13} )((can't tell|not asked)(?= )|accepts, but reads no kernel memory)", "yellow"),
    (r"(?<=^\[.{12}\] )(Kernel panic |BUG: |Oops\b|kernel BUG at |Unable to handle kernel |Internal error: ).*", "red"),
    (r"^  # .*|^ +why: .*", "dim"),
    (r"^ +(refused by|warned about or misread by|fix|to do)(?=: )", "bold"),
    (r"^(next|notes|vmcoreinfo|memory|repair|not repaired|entry|readers?)\b(?=[: ]|$)", "bold"),
))
# fmt: on
"""What is coloured: a pattern of a line, and how."""
_COMMENT: Final = "  # "
"""The start of a line above a command, which is copied and must not be wrapped."""


def print_wrapped(lines: Iterable[str]) -> None:
    """Print lines to a terminal; with NO_COLOR set, and on one without colours, only wrapped."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") in (None, "", "dumb")
    console = Console(file=sys.stdout, color_system=None if plain else "auto", highlight=False, soft_wrap=True)
    for line, styled in wrapped(lines, console.width):
        if styled is None or plain:
            sys.stdout.write(f"{line}\n")
        else:
            console.print(styled, soft_wrap=True)


def wrapped(lines: Iterable[str], width: int) -> Iterator[tuple[str, Text | None]]:
    """Yield each line broken at `width`, plain, and with its styles; None if it has none."""
    command = False
    for line in lines:
        shown = line if command or len(line) <= width else _broken(line, width)
        command = line.startswith(_COMMENT)
        yield shown, _styled(line, shown)


def _broken(line: str, width: int) -> str:
    """Return a line with newlines; what follows the first is below the last column, or a little indented.

    A comment goes on as a comment, because it may be copied together with its command.
    """
    columns = [found.end() for found in re.finditer(r"\S {2,}", line[: width // 2])]
    own = len(line) - len(line.lstrip(" "))
    indent = max(columns, default=own + 4 if own or line[:1].isupper() else 2)
    hanging = _COMMENT if line.startswith(_COMMENT) else " " * min(indent, width // 2)
    return textwrap.fill(
        line, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False, expand_tabs=False
    )


def _styled(line: str, shown: str) -> Text | None:
    """Return the wrapped line with the styles of the patterns that match; those at its start, or in all of it."""
    text = None
    for pattern, style in _STYLES:
        if found := pattern.search(line):
            text = text or Text(shown)
            whole = found.end() == len(line)
            text.stylize(style, found.start(), len(shown) if whole else found.end())
    return text
