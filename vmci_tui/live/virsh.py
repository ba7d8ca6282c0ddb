"""One session with a VM of libvirt, whose QMP socket libvirt itself holds: requests go through `virsh`.

One virsh runs for all requests, because its start takes longer than a hundred answers. It is asked for the same
commands as a socket is, except for a dump: libvirtd 9.0.0 ends with a segmentation fault at the event by which QEMU
says that a dump is complete, if libvirt did not ask for it. A file is named, not handed over: older virsh cannot do
that. libvirt marks the domain as tainted by the requests (custom-monitor).
"""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import subprocess
import time
from typing import Any, Final, Self

from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.live.commands import COMMANDS, STATUS, VERSION, Command
from vmci_tui.live.session import LONGEST_LINE, PATIENCE, Refused, Stops, version_of, words_of

TAINT: Final = "libvirt marks the domain as tainted (custom-monitor) because its monitor was used"
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f/]{1,255}")
"""Names and UUIDs of domains; virsh reads a line for each request."""
_LISTS: Final = "`virsh list --all` names them; LIBVIRT_DEFAULT_URI=qemu:///system has those of root"
_SAVES: Final = "/var/lib/libvirt/qemu/save"
_END: Final = "vmci-has-read-all"


class VirshSession:
    """A running virsh; requests and answers as `Session` has them. It has no events: nobody says how long a stop is."""

    hands_over = False

    def __init__(self, domain: str, name: Safe, sent: list[str]) -> None:
        """Start virsh for a domain; `name` is what messages call it. Each request is added to `sent`.

        Raises OpenError.
        """
        if _NAME.fullmatch(domain) is None:
            raise OpenError(f"{name} is not the name of a domain", "`virsh list` names them; a UUID also works")
        self._domain, self.name, self.sent = shlex.quote(domain), name, sent
        self.usable = True
        self.stops = Stops()
        self._runs = True
        """Whether the guest ran when its state was asked for: what does not run cannot be stopped."""
        self._kept = bytearray()
        try:
            pipe = subprocess.PIPE
            self._process: Any = subprocess.Popen(
                ["virsh", "-q"], stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, bufsize=0, env=environment()
            )
        except OSError:
            raise OpenError(f"{name}: virsh is not installed", "apt install libvirt-clients, or qmp:SOCKET") from None
        try:
            self._type(f"domid --domain {self._domain}")
            said = self._said(PATIENCE)
            # At a terminal virsh says first that there is no polkit, on a host without it.
            found = re.search(r"^([0-9]{1,9})\s*$", said, re.MULTILINE)
            if found is None and (words := first_error(said)):
                raise self._error(f"is not a running domain: {words}", _LISTS)
            if found is None:
                raise self._error("does not run", f"start it, or name its save: `virsh managedsave` writes to {_SAVES}")
            self.owner = int(found[1])
            self.version = version_of(self.ask(VERSION)) or "?"
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def hang_up(self) -> None:
        """Let another thread that waits for an answer go on, with an error."""
        self._process.kill()

    def close(self) -> None:
        """End virsh; a second call does nothing."""
        self._process.kill()
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def fileno(self) -> int:
        """Return the number of virsh's output, for `select`."""
        number: int = self._process.stdout.fileno()
        return number

    def ask(
        self,
        command: Command,
        number: int = 0,
        file: int | None = None,
        patience: float = PATIENCE,
        path: str = "",
    ) -> object:
        """Ask as `Session.ask` does; `path` is that of a file which QEMU writes."""
        self.send(command, number, file, path)
        answer = self.answer(patience)
        if command is STATUS and isinstance(answer, dict):
            self._runs = answer.get("running") is not False
        if command.stops and self._runs:
            self.stops = Stops(self.stops.times + 1)
        return answer

    def send(self, command: Command, number: int = 0, file: int | None = None, path: str = "") -> None:
        """Send a request without waiting for its answer. Raises OpenError."""
        if file is not None or not any(command is row for row in COMMANDS):
            raise ValueError(f"{command.name} is not in the table of commands, or hands over a file")
        self.sent.append(command.shown(number, path))
        request = shlex.quote(json.dumps(command.request(number, path)))
        self._type(f"qemu-monitor-command --domain {self._domain} --cmd {request}")

    def answered(self) -> bool:
        """Take what `select` says has come; return whether the answer is among it. Raises as `answer`."""
        self._receive(time.monotonic() + PATIENCE)
        return self._end() >= 0

    def answer(self, patience: float = PATIENCE) -> object:
        """Wait for the answer to the last request, at most `patience` seconds. Raises as `Session.answer`."""
        said = self._said(patience)
        line = next((line for line in said.splitlines() if line.startswith("{")), "")
        try:
            message: object = json.loads(line)
        except (ValueError, RecursionError):
            raise self._error(f"gives no answer: {first_error(said) or 'virsh says nothing'}") from None
        match message:
            case {"return": value}:
                return value
            case {"error": error}:
                raise Refused(f"{self.name}: QEMU says: {words_of(error)}")
        raise self._error("does not speak QMP")

    def _type(self, line: str) -> None:
        try:
            self._process.stdin.write(os.fsencode(f"{line}\necho {_END}\n"))
        except OSError:
            raise self._error("takes no request", "does `virsh list` work?") from None

    def _said(self, patience: float) -> str:
        """Return what virsh printed for the last line, without its prompts."""
        until = time.monotonic() + patience
        while (end := self._end()) < 0:
            self._receive(until)
        said = bytes(self._kept[:end]).decode("utf-8", "replace")
        del self._kept[: end + 1 + len(_END)]
        return "\n".join(line for line in said.splitlines() if not line.startswith("virsh # ")).strip()

    def _end(self) -> int:
        """Return where the line is that ends an answer, to which virsh adds its next prompt; -1 if it has not come."""
        return self._kept.find(f"\n{_END}".encode())

    def _receive(self, until: float) -> None:
        if len(self._kept) > LONGEST_LINE:
            raise self._error(f"sent more than {LONGEST_LINE >> 20} MiB")
        ready, _, _ = select.select([self.fileno()], [], [], max(until - time.monotonic(), 0))
        if not ready:
            raise self._error("does not answer", "is the VM hung, or the host overloaded?")
        part = os.read(self.fileno(), 1 << 18)
        if not part:
            words = first_error(bytes(self._kept).decode("utf-8", "replace"))
            raise self._error(f"cannot be asked: {words or 'virsh has ended'}", "does `virsh list` work?")
        self._kept += part

    def _error(self, words: str, hint: str = "is it a domain of QEMU?") -> OpenError:
        """Return the error for an answer after which nothing that comes can be trusted."""
        self.usable = False
        return OpenError(f"{self.name} {words}", hint)


def environment() -> dict[str, str]:
    """Return the environment for virsh: its words in English, and no control sequences, which its prompt has else."""
    return os.environ | {"TERM": "dumb", "INPUTRC": "/dev/null", "LC_ALL": "C"}


def first_error(said: str) -> Safe:
    """Return the first error that virsh printed, safe to show; empty if there is none."""
    found = re.search(r"^error: (.{1,300})", said, re.MULTILINE)
    return Safe("") if found is None else visible(found[1])
