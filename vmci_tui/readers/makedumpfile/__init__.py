"""makedumpfile 1.7.2, the x86-64 build, extracting the log of a dump: `--dump-dmesg`.

It accepts if it prints the text (`VMCOREINFO   :`) without an error. Rules that do not refuse
report later failures, such as missing memory or keys.
FILE in its words is the file's name, /tmp/vmcoreinfoXXXXXX its temporary file.
"""

from __future__ import annotations

import os
from typing import Final

from vmci_tui.readers.makedumpfile.reading import MakedumpfileReading
from vmci_tui.readers.makedumpfile.rules import RULES
from vmci_tui.readers.makedumpfile.text import DEFAULT, KEYS, SINCE, lines
from vmci_tui.readers.rule import Reader
from vmci_tui.readers.version import numbers_text

READER: Final = Reader(
    name="makedumpfile",
    version=numbers_text(DEFAULT),
    command="makedumpfile --message-level 31 --dump-dmesg FILE OUT",
    read=MakedumpfileReading,
    rules_of=lambda _: RULES,
    accepted=lambda r: "VMCOREINFO   :   OSRELEASE=" + os.fsdecode(r.osrelease or b""),
    lines=lines,
    keys=KEYS,
    since=SINCE,
    known=("1.6.8", "1.7.2", "1.7.6", "1.7.8"),
)
