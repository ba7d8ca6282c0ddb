"""A domain of libvirt is asked through virsh: the same commands, framed by what virsh prints."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from vmci_tui.common.errors import OpenError
from vmci_tui.live.commands import MAP, NAME_FILE, STATUS, TARGET, Command
from vmci_tui.live.session import Refused
from vmci_tui.live.vm import running_vm

_VIRSH = f"""#!{sys.executable} -SE
import json, os, shlex, sys
log = open(os.environ["LOG"], "a")
def answer(request):
    log.write(json.dumps(request) + "\\n"); log.flush()
    match request["execute"]:
        case "query-version": return {{"return": {{"qemu": {{"major": 10, "minor": 0, "micro": 2}}}}, "id": "x"}}
        case "query-status": return {{"return": {{"running": True}}}}
        case "human-monitor-command": return {{"return": "FlatView #0\\r\\n " + "x" * 200000}}
        case "query-target": return {{"error": {{"desc": "no\\x1b[m"}}}}
        case "qom-list": return {{"return": [{{"type": "child<vmcoreinfo>"}}]}}
    return {{"return": {{}}}}
def run(words):
    match words:
        case ["echo", word]: return word
        case ["domid", "down"]: return "-\\n"
        case ["domid", "gone"]: return "error: failed to get domain 'gone'"
        case ["domid", _]: return "7\\n"
        case ["qemu-monitor-command", "odd", request]: return "error: internal error"
        case ["qemu-monitor-command", _, request]: return json.dumps(answer(json.loads(request))) + "\\n"
if sys.argv[2:]:
    print(run(sys.argv[2:]))
else:
    while True:
        print("virsh # ", end="", flush=True)
        line = sys.stdin.readline()
        if not line: break
        print(line, end="")
        print(run(shlex.split(line)), end="", flush=True)
"""


@pytest.fixture(autouse=True)
def _virsh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "virsh"
    program.write_text(_VIRSH)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("LOG", str(tmp_path / "log"))


def test_requests_and_answers(tmp_path: Path) -> None:
    vm = running_vm("virsh:guest one")
    assert vm.version == "10.0.2"
    assert vm.ask(STATUS) == {"running": True}
    printed = vm.ask(MAP)
    assert isinstance(printed, str) and len(printed) > 200_000
    with (tmp_path / "handed").open("wb") as file, pytest.raises(ValueError, match="file"):
        vm.ask(NAME_FILE, file=file.fileno())
    with pytest.raises(Refused, match=r"no\\x1b"):
        vm.ask(TARGET)
    with pytest.raises(ValueError, match="table"):
        vm.ask(Command("stop", ""))
    vm.close()
    sent = (tmp_path / "log").read_text().splitlines()
    assert len(sent) == len(vm.sent) == 4


@pytest.mark.parametrize("domain", ["down", "gone", "odd", "a'b", "", "x\ny"])
def test_a_domain_that_cannot_be_asked(domain: str) -> None:
    with pytest.raises(OpenError) as raised:
        running_vm(f"virsh:{domain}")
    assert raised.value.exit_code == 3 and "\n" not in str(raised.value)


def test_without_virsh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(OpenError, match="not installed"):
        running_vm("virsh:guest")
