"""Read the command line of the app: `vmci [OPTIONS] FILE [BLOB]`, with what the commands take about memory images."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vmci_tui.cli.arguments import app_parser
from vmci_tui.cli.open_named import image_choice
from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.opening.raw_names import joined_parts

if TYPE_CHECKING:
    from vmci_tui.images.guest_image import ImageChoice

_EXAMPLE = "use vmci [--map IOMEM] [--snapshot NAME] [--blocks NAME,...] [--no-stop] FILE [BLOB]"


def app_arguments(arguments: list[str]) -> tuple[list[str], ImageChoice | None]:
    """Return the files that the app opens, parts of one raw memory as one, and what the options say of an image.

    Raises UsageError.
    """
    words = [f"./{word}" if word.startswith("-") and os.path.exists(word) else word for word in arguments]
    options, rest = app_parser().parse_known_intermixed_args(words)
    if rest:
        raise UsageError(f"the app does not take {visible(' '.join(rest))}", f"{_EXAMPLE}; commands come first")
    files = joined_parts(options.files)
    if not files:
        raise UsageError("the options are about a memory image, and no file is named", _EXAMPLE)
    return files, image_choice(options)
