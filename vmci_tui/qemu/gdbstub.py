"""Use QEMU's gdb stub for one thing: to put CPU 0 into long mode."""

from __future__ import annotations

from typing import Final

from vmci_tui.qemu import QemuError
from vmci_tui.qemu.process import QemuProcess

_EFER: Final = 0x20
"""Its number among the registers (target/i386/gdbstub.c, IDX_CTL_EFER_REG)."""
_LME_LMA: Final = 0x500
_LONGEST: Final = 1 << 16
"""Bytes of an answer; the description of the registers is read in parts of 4 KiB."""


def set_long_mode(process: QemuProcess) -> None:
    """Set EFER.LMA, by which QEMU recognises a 64-bit guest (target/i386/arch_dump.c). Raises QemuError."""
    # Registers can only be written after their description was read (gdbstub, gdb_has_xml).
    _ask(process, b"qXfer:features:read:target.xml:0,ffb")
    value = _LME_LMA.to_bytes(8, "little").hex()
    if b"$OK#" not in _ask(process, f"P{_EFER:x}={value}".encode()):
        raise QemuError("QEMU's gdb stub does not set EFER", "use another QEMU for an x86-64 dump")


def _ask(process: QemuProcess, packet: bytes) -> bytes:
    line = process.sockets["gdb"]
    answer = b""
    try:
        line.settimeout(process.seconds_left)
        line.sendall(b"$%s#%02x" % (packet, sum(packet) & 0xFF))
        while b"#" not in answer[:-2]:
            line.settimeout(process.seconds_left)
            part = line.recv(4096)
            if not part:
                raise process.end_error()
            answer += part
            if len(answer) > _LONGEST:
                raise QemuError("QEMU's gdb stub sends an answer that does not end", "is this a QEMU?")
        line.sendall(b"+")
    except TimeoutError:
        raise QemuError(f"QEMU's gdb stub did not answer within {process.seconds:g} seconds") from None
    except OSError:
        raise process.end_error() from None
    return answer
