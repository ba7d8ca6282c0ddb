"""List every command that vmci can send to a VM: nothing else reaches its socket.

A harmless name is not enough: QEMU's `qom-list-types` ends a VM whose modules are of another build, and `migrate`
leaves it stopped. So a command is a row of this table, its arguments are part of the row, and a number is all that
changes from one request to the next, and the name of a file that vmci made, where libvirt holds the socket. `stop` is
not in the table: the commands that stop the guest also start it again, by QEMU itself, whatever becomes of vmci.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

_HOLES: Final = {"{number}": "d", "{paddr}": "#x", "{address}": "#x"}
"""Where the number goes, and how it is written."""
_PATH: Final = "{path}"


@dataclass(frozen=True)
class Command:
    """One command of QMP with its arguments, in which a hole takes a number."""

    name: str
    reason: str
    """What it is sent for, a few words."""
    arguments: tuple[tuple[str, str | bool | int], ...] = ()
    numbers: tuple[str, ...] = ()
    """Names of arguments that are a number themselves."""
    stops: str = ""
    """For how long the guest stands still; empty if it does not."""

    def filled(self, number: int, path: str = "") -> dict[str, str | bool | int]:
        """Return its arguments with the number, and the path, in them."""
        filled = {name: _filled(value, number, path) for name, value in self.arguments}
        return filled | dict.fromkeys(self.numbers, number)

    def request(self, number: int, path: str = "") -> dict[str, object]:
        """Return the object that is sent."""
        return {"execute": self.name, "arguments": self.filled(number, path)}

    def line(self, identity: int, number: int) -> bytes:
        """Return the line that is sent to a socket."""
        return json.dumps(self.request(number) | {"id": identity}).encode() + b"\n"

    def shown(self, number: int | None = None, path: str = "FILE") -> str:
        """Return it as the user reads it: the name, then its arguments; without a number as `N`."""
        if number is None:
            values = {name: _filled(value, None, path) for name, value in self.arguments}
            values |= dict.fromkeys(self.numbers, "N")
        else:
            values = self.filled(number, path)
        words = [self.name]
        for name, value in values.items():
            said = str(value).lower() if isinstance(value, bool) else str(value)
            words.append(said if name == "command-line" else f"{name}={said}")
        return " ".join(words)


def _filled(value: str | bool | int, number: int | None, path: str) -> str | bool | int:
    if isinstance(value, str):
        for hole, form in _HOLES.items():
            value = value.replace(hole, "N" if number is None else format(number, form))
        value = value.replace(_PATH, path)
    return value


def _monitor(line: str, reason: str) -> Command:
    return Command("human-monitor-command", reason, (("command-line", line),))


CAPABILITIES: Final = Command("qmp_capabilities", "begin to talk")
VERSION: Final = Command("query-version", "the version, where no greeting says it")
STATUS: Final = Command("query-status", "whether the guest runs, before and after")
TARGET: Final = Command("query-target", "the machine")
DEVICES: Final = Command("qom-list", "whether there is a vmcoreinfo device", (("path", "/machine/peripheral-anon"),))
NAMED_DEVICES: Final = Command("qom-list", "the same, among devices with an id", (("path", "/machine/peripheral"),))
MAP: Final = _monitor("info mtree -f", "where guest memory is")
PAGE: Final = _monitor("xp /512xg {paddr}", "4096 bytes of guest memory, only where the map says RAM")
PAGES: Final = _monitor("xp /4096xg {paddr}", "32 KiB of guest memory, where many pages are read at once")
REGISTERS: Final = _monitor("info registers -a", "the registers, where the guest is not to be stopped")
TRANSLATE: Final = _monitor("gva2gpa {address}", "where the kernel has an address, if no register names its tables")
ADD_FILE: Final = Command("add-fd", "hand over a file for the devices' state")
SAVE_DEVICES: Final = Command(
    "xen-save-devices-state", "the entry and the registers",
    (("filename", "/dev/fdset/{number}"), ("live", False)), stops="about a millisecond",
)  # fmt: skip
REMOVE_FILE: Final = Command("remove-fd", "take the file back", numbers=("fdset-id",))
NAME_FILE: Final = Command("getfd", "hand over a file or a pipe for a dump", (("fdname", "vmci"),))
DUMP_HEAD: Final = Command(
    "dump-guest-memory", "a dump of one byte: the registers, and the note as QEMU has it",
    (("paging", False), ("protocol", "fd:vmci"), ("length", 1)), ("begin",), stops="less than a millisecond",
)  # fmt: skip
SAVE_DEVICES_TO: Final = Command(
    "xen-save-devices-state", "the same, through libvirt",
    (("filename", _PATH), ("live", False)), stops="about a millisecond",
)  # fmt: skip
DUMP: Final = Command(
    "dump-guest-memory", "a dump of all memory", (("paging", False), ("protocol", "fd:vmci")), stops="the whole dump"
)
CLOSE_FILE: Final = Command("closefd", "take it back", (("fdname", "vmci"),))

COMMANDS: Final = (
    CAPABILITIES, VERSION, STATUS, TARGET, DEVICES, NAMED_DEVICES, MAP, PAGE, PAGES, REGISTERS, TRANSLATE,
    ADD_FILE, SAVE_DEVICES, REMOVE_FILE, NAME_FILE, DUMP_HEAD, CLOSE_FILE, SAVE_DEVICES_TO, DUMP,
)  # fmt: skip
"""All of them."""
READING: Final = tuple(command for command in COMMANDS if command is not DUMP)
"""Those that are sent to show a VM; `convert` sends the other too."""
