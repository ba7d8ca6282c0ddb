"""Examples of each command, for its help and the manual page; the first is the usual one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vmci_tui.formats.fw_cfg_entry import GDB_COMMAND

EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "show": ("vmci show dump.elf", "vmci show dump.elf --keys", "vmci show dump.elf --json | jq .vmcoreinfo.keys"),
    "check": (
        "vmci check dump.elf",
        "vmci check --for crash,drgn --reader crash=8.0.6 dump.elf",
        "vmci check dump.elf --report ticket.md",
    ),
    "find": ("vmci find dump.elf", "vmci find ram.img --raw-at 0"),
    "log": ("vmci log dump.elf", "vmci log dump.elf --level warn+", "vmci log dump.elf --json | jq -r .log[].text"),
    "cpus": ("vmci cpus dump.elf", "vmci cpus dump.elf --stack"),
    "prove": ("vmci prove dump.elf", "vmci prove dump.elf --json | jq .counts"),
    "symbols": (
        "vmci symbols dump.elf > System.map",
        "vmci symbols dump.elf jiffies_64 0xffffffffb26592eb",
    ),
    "set": ("vmci set dump.elf 'NUMBER(phys_base)=0' -o fixed.elf", "vmci set e.entry entry.size=4132 --in-place"),
    "append": ("vmci append dump.elf --from-memory -o out.elf",),
    "strip": ("vmci strip dump.elf -o without.elf",),
    "repair": ("vmci repair dump.elf -o dump-fixed.elf",),
    "undo": ("vmci undo dump.elf",),
    "unflatten": ("vmci unflatten dump.flat -o dump.kdump",),
    "convert": (
        "vmci convert guest.lime -o guest.elf --report ticket.md",
        "vmci convert qmp:SOCKET -o vm.elf --yes stop",
    ),
    "cut": ("vmci cut dump.elf -o small.elf",),
    "hex": ("vmci hex dump.elf --paddr 0x19c8000 --len 4KiB", "vmci hex dump.elf --vaddr init_task+0x20"),
    "new": ("vmci new entry --size 4132 --paddr 0x19c8000 -o e.entry",),
    "diff": ("vmci diff old.elf new.elf", "vmci diff dump.elf dump.elf@0x19c8000"),
    "ask": ("vmci ask e.entry guest.note", "vmci ask e.entry dump.elf --target aarch64"),
    "predict": ("vmci predict --qemu 11.1 < cases.jsonl",),
    "explain": ("vmci explain phys_base", "vmci explain --search kaslr", "vmci explain 0xffffffff81000010 dump.elf"),
    "craft": ("vmci craft --list", "vmci craft --defect crlf,N02 -o folder"),
    "lessons": ("vmci lessons", "vmci lessons 1"),
    "serve": ("vmci serve --port 8080",),
}
_NOTES: Final = {
    "new": f"in gdb, on QEMU (gdb -p PID) or its core, with debug symbols:\n  {GDB_COMMAND}",
    "predict": "a case is a line (write: what the guest writes to the entry):\n"
    '  {"machine": 62, "bits": 64, "byte_order": "little",\n'
    '   "write": {"offset": 0, "length": 16, "bytes": "..."}, "region": "0b00..."}',
}
"""What to know beside the options."""


def epilog(command: str) -> str:
    """Return what follows the options in a command's help."""
    examples = "\n".join(("examples:", *(f"  {line}" for line in EXAMPLES[command])))
    return f"{_NOTES[command]}\n\n{examples}" if command in _NOTES else examples


def note(command: str) -> str:
    """Return what the manual page says after the options; usually nothing."""
    return _NOTES.get(command, "")
