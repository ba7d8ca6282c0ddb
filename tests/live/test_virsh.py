"""A domain of libvirt is asked through virsh: the same commands, framed by what virsh prints."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import pytest

from tests.paths import DATA, SAMPLES
from vmci_tui.cli.run import main
from vmci_tui.common.errors import OpenError
from vmci_tui.live import shared_file
from vmci_tui.live.commands import MAP, NAME_FILE, STATUS, TARGET, Command
from vmci_tui.live.session import Refused
from vmci_tui.live.vm import RunningVm, running_vm
from vmci_tui.opening.open_file import open_document

_ODD = "-x'\u00e4 \"$;"
"""A name that virsh takes only with quotation marks, and as the value of an option."""
_VIRSH = f"""#!{sys.executable} -SE
import json, os, shlex, sys
log = open(os.environ["LOG"], "a")
def answer(request):
    log.write(json.dumps(request) + "\\n"); log.flush()
    match request["execute"]:
        case "query-version": return {{"return": {{"qemu": {{"major": 10, "minor": 0, "micro": 2}}}}, "id": "x"}}
        case "query-status" if "PAUSED" in os.environ: return {{"return": {{"running": False, "status": "paused"}}}}
        case "query-status": return {{"return": {{"running": True, "status": "running"}}}}
        case "human-monitor-command" if "MAP" not in os.environ:
            return {{"return": "FlatView #0\\r\\n " + "x" * 200000}}
        case "query-target" if os.environ.get("MAP"): return {{"return": {{"arch": "x86_64"}}}}
        case "query-target": return {{"error": {{"desc": "no\\x1b[m"}}}}
        case "xen-save-devices-state" if "DENIED" in os.environ:
            return {{"error": {{"desc": "Unable to open " + request["arguments"]["filename"] + ": Permission denied"}}}}
        case "xen-save-devices-state":
            name = request["arguments"]["filename"]
            modes = [os.stat(path).st_mode & 0o777 for path in (name, os.path.dirname(name))]
            assert modes == [0o666, 0o711]
            if "ELSEWHERE" not in os.environ: open(name, "r+b").write(open("{DATA}/live/pc.devices", "rb").read())
            return {{"return": {{}}}}
        case "human-monitor-command" if request["arguments"]["command-line"].startswith("xp"):
            paddr, words = int(request["arguments"]["command-line"].split()[-1], 16), " 0x" + "0" * 16
            return {{"return": "".join(f"{{at:016x}}:{{words * 2}}\\r\\n" for at in range(paddr, paddr + 4096, 16))}}
        case "human-monitor-command" if os.environ.get("MAP"): return {{"return": open(os.environ["MAP"]).read()}}
        case "qom-list": return {{"return": [{{"type": "child<vmcoreinfo>"}}]}}
    return {{"return": {{}}}}
def run(words):
    match words:
        case ["echo", word]: return word
        case ["domid", "--domain", "down"]: return "-\\n"
        case ["domid", "--domain", "gone"]: return "error: failed to get domain 'gone'"
        case ["domid", "--domain", {_ODD!r} | "guest" | "guest one" | "odd"]:
            return "Authorization not available.\\n7\\n"
        case ["qemu-monitor-command", "--domain", "odd", "--cmd", request]: return "error: internal error"
        case ["qemu-monitor-command", "--domain", _, "--cmd", request]:
            return json.dumps(answer(json.loads(request))) + "\\n"
if sys.argv[2:3] == ["dump"]:
    assert sys.argv[2:-1] == ["dump", "--memory-only", "--domain", "guest", "--file"], sys.argv
    if os.environ.get("DENIED"): sys.exit("error: Failed to core dump domain\\nerror: no \\x1b[m")
    with open(sys.argv[-1], "r+b") as file: file.write(open({str(SAMPLES / "amd64-cut-nonote.elf")!r}, "rb").read())
elif sys.argv[2:]:
    print(run(sys.argv[2:]))
else:
    while True:
        print("virsh # " if os.environ["TERM"] == "dumb" else "\\x1b[?2004hvirsh # ", end="", flush=True)
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
    monkeypatch.setenv("TERM", "xterm-256color")


def test_requests_and_answers(tmp_path: Path) -> None:
    vm = running_vm("virsh:guest one")
    assert vm.version == "10.0.2"
    assert vm.ask(STATUS) == {"running": True, "status": "running"}
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


@pytest.mark.parametrize("domain", ["down", "gone", "odd", "a/b", "", "x\ny", "x" * 300])
def test_a_domain_that_cannot_be_asked(domain: str) -> None:
    with pytest.raises(OpenError) as raised:
        running_vm(f"virsh:{domain}")
    assert raised.value.exit_code == 3 and "\n" not in str(raised.value)


def test_a_name_with_any_characters_and_a_domain_that_is_shut_off() -> None:
    running_vm(f"virsh:{_ODD}").close()
    with pytest.raises(OpenError, match="virsh:down does not run"):
        running_vm("virsh:down")


@pytest.fixture
def _map(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MAP", str(DATA / "live" / "pc.mtree"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(shared_file, "FOLDERS", str(tmp_path / "none"))


@pytest.mark.usefixtures("_map")
def test_the_entry_comes_by_a_file_that_is_gone_afterwards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_document("virsh:guest") as document:
        history = document.state.entry
        assert history is not None and history.entry.paddr == 0x1414000 and history.origin == "vm"
        (vm,) = document.files
        assert isinstance(vm, RunningVm) and vm.stops == (1, 0)
    assert list((tmp_path / "tmp").iterdir()) == []
    assert main(["show", "virsh:guest", "--json"]) == 0
    live = json.loads(capsys.readouterr().out)["live"]
    assert live["stopped_ms"] is None, "libvirt has the events"
    sent = (tmp_path / "log").read_text()
    assert "dump-guest-memory" not in sent, "libvirtd 9.0.0 does not survive it"


@pytest.mark.usefixtures("_map")
def test_a_domain_that_does_not_run_is_not_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAUSED", "1")
    assert main(["show", "virsh:guest"]) == 0
    assert "not running (paused), with a vmcoreinfo device; not stopped by vmci" in capsys.readouterr().out


@pytest.mark.usefixtures("_map")
@pytest.mark.parametrize(("case", "words"), [("DENIED", "Permission denied"), ("ELSEWHERE", "wrote nothing on this")])
def test_a_file_that_qemu_does_not_write(
    case: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(case, "1")
    assert main(["show", "virsh:guest"]) == 0
    out = capsys.readouterr().out
    assert "The entry is not known" in out and words in out
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.usefixtures("_map")
def test_convert_is_by_libvirts_own_dump(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out" / "made.elf"
    out.parent.mkdir()
    assert main(["convert", "virsh:guest", "-o", str(out)]) == 2
    assert "--yes stop" in capsys.readouterr().err and list(out.parent.iterdir()) == []
    assert main(["convert", "virsh:guest", "-o", str(out), "--yes", "stop"]) == 1, "the entry is of another guest"
    said = capsys.readouterr()
    assert "libvirt stops it" in said.err and "proved" in said.out
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.usefixtures("_map")
def test_a_dump_that_libvirt_does_not_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DENIED", "1")
    (tmp_path / "out").mkdir()
    assert main(["convert", "virsh:guest", "-o", str(tmp_path / "out" / "x"), "--yes", "stop"]) == 3
    err = capsys.readouterr().err
    assert "no dump was made of guest: Failed to core dump domain" in err and "Traceback" not in err
    assert list((tmp_path / "out").iterdir()) == []


def test_the_file_is_in_libvirts_own_folder_of_the_domain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AppArmor and SELinux let QEMU write there."""
    monkeypatch.setattr(shared_file, "FOLDERS", str(tmp_path))
    own = tmp_path / "domain-7-guest"
    own.mkdir()
    with shared_file.shared_file(7) as shared:
        assert Path(shared.path).parent == own
        Path(shared.path).unlink()
        Path(shared.path).symlink_to("/etc/passwd")
        assert os.pread(shared.file, 10, 0) == b"", "what is put in its place is not read"
    assert list(own.iterdir()) == []


def test_without_virsh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(OpenError, match="not installed"):
        running_vm("virsh:guest")
