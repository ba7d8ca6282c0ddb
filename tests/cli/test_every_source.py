"""Hold each command about notes and memory, over each kind of source, to one contract.

With exit code 0 or 1 stdout is one JSON object of the types in docs/json.md. Else it is empty, stderr says why, and
no file is written.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import json_changes
import json_kernel
import json_types as of
import pytest

from tests.dumps.factory import note, ram
from tests.images.qemu_stream.written import PAGE, clock, entry, plain, sizes, stream
from tests.images.qemu_stream.written import ram as ram_section
from tests.images.wrapped.saves import COMPRESSED, save
from tests.images.writers import avml, lime, utsname
from tests.json_shapes import wrong
from tests.kernel.symbols.kallsyms_writer import Kernel, dump_of, symbols, write
from tests.live.fake_qemu import FakeQemu, serving
from tests.paths import DATA, SAMPLES
from tests.proof.synthetic import Ram
from tests.zstd import zstd
from vmci_tui.cli.run import main
from vmci_tui.containers import open_dump
from vmci_tui.layers.file import FileSource

_RANGES: Final = ((0x1000, utsname() + ram(0x3000)), (0x100000, note() + ram(0x4000)))
_MAP: Final = b"00001000-00004185 : System RAM\n00100000-00104fff : System RAM\n"
_STREAM: Final = stream(
    ram_section(1, sizes([("pc.ram", 32 << 20)]) + plain(0x100000, (note() + ram(0x1000))[:PAGE], "pc.ram")),
    clock(32 << 20),
    entry(paddr=0x100000),
)
_MADE: Final[dict[str, bytes]] = {
    "guest.lime": lime(_RANGES),
    "guest.avml": avml(_RANGES),
    "guest.raw": b"".join(data for _, data in _RANGES),
    "guest.iomem": _MAP,
    "guest.qevm": _STREAM,
    "guest.save": save(COMPRESSED["gzip"], _STREAM),
    "empty": b"",
    "words.txt": b"not a dump\n",
}
_KINDS: Final = {
    "kernel.elf": "elf", "i386-qemu.kdump": "kdump", "flat": "flattened",
    "two-halves.write.json": "entry", "pc-10.0.devices": "entry", "guest.lime": "lime", "guest.avml": "avml",
    "guest.raw@0": "raw", "guest.raw --map guest.iomem": "raw", "guest.qevm": "qemu-stream",
    "guest.save": "qemu-stream", "qmp:socket --no-stop": "qmp", "empty": None, "missing": None,
}  # fmt: skip
"""What opens, as it is named after a command, and the container that the JSON gives; None: it does not open."""
_LARGE: Final = {
    "s390x-cut-note.elf": "elf", "crlf.elf": "elf", "words.txt": None, "amd64-tiny.kdump": "kdump",
    "arm64.qevm": "qemu-stream", "lv-zstd.save": "qemu-stream",
    "pc-savevm-7.2.qcow2 --snapshot snap1": "qemu-stream", "qmp:socket": "qmp",
}  # fmt: skip
"""Sources that take seconds together."""
_COMMANDS: Final[dict[str, Any]] = {
    "show --kernel": of.Show, "check": of.Check, "find": of.Find, "log": json_kernel.Log, "cpus": json_kernel.Cpus,
    "prove": json_kernel.Prove, "symbols": json_kernel.Symbols, "hex --paddr 0x1000 --len 16": of.HexBytes,
    "hex --vaddr linux_banner": of.HexBytes, "explain OSRELEASE": of.Explain, "convert -o out": json_changes.Convert,
    "cut -o out": json_changes.Cut, "append --from-kernel -o out": json_changes.Save,
    "repair -o out": json_changes.Repair,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that the commands run in, which is empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _file(source: str) -> Path:
    return Path(source.split()[0].removesuffix("@0"))


def _put(source: str) -> None:
    """Put the file of a source, and its map, into the folder."""
    for word in source.replace("@0", "").split():
        if word in _MADE:
            Path(word).write_bytes(_MADE[word])
        elif (SAMPLES / word).exists():
            shutil.copy(SAMPLES / word, word)
        elif (packed := DATA / "wrapped" / f"{word}.zst").exists():
            Path(word).write_bytes(zstd.decompress(packed.read_bytes()))
        elif word == "kernel.elf":
            memory, kernel = Ram(), Kernel(form="per-cpu")
            write(memory, kernel, symbols(kernel))
            Path(word).write_bytes(dump_of(memory))
        elif word == "flat":
            shutil.copy(DATA / "faults" / "elf-basic-flat.dump", word)


def _faults(
    command: str, shape: Any, source: str, container: str | None, capsys: pytest.CaptureFixture[str]
) -> Iterator[str]:
    """Run a command over a source; yield what does not hold."""
    name, _, rest = command.partition(" ")
    before = sorted(Path().iterdir())
    words = (rest, source) if name == "explain" else (source, rest)  # the file is its second argument
    code = main([name, *" ".join(words).split(), "--json"])
    out, err = capsys.readouterr()
    if code in (0, 1):
        said = json.loads(out)
        yield from () if said.pop("schema") == 1 else ("schema",)
        yield from wrong(said, shape)
        if said.get("container", container) != container:
            yield said["container"]
        if "size" in said and container not in ("qmp", "entry") and said["size"] != _file(source).stat().st_size:
            yield f"{said['size']} bytes"
    elif out or not err.startswith("vmci: ") or code not in (2, 3, 4):
        yield f"{code} {out} {err}"
    if code in (0, 1):
        Path("out").unlink(missing_ok=True)
    yield from (str(path) for path in sorted(Path().iterdir()) if path not in before)


@pytest.mark.parametrize(
    ("source", "container"),
    [*_KINDS.items(), *(pytest.param(*item, marks=pytest.mark.long) for item in _LARGE.items())],
)
def test_the_json_and_the_exit_code_are_those_of_the_contract(
    source: str, container: str | None, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _put(source)
    with FileSource(str(SAMPLES / "amd64-cut-note.elf")) as file:
        served = serving(FakeQemu(open_dump(file)), folder / "socket") if "qmp:" in source else nullcontext()
        with served:
            faults = {name: list(_faults(name, shape, source, container, capsys)) for name, shape in _COMMANDS.items()}
    assert {name: found for name, found in faults.items() if found} == {}


@pytest.mark.parametrize("words", [["show", ""], ["check", ""], ["prove", ""], [""]])
def test_an_empty_name_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 3
    assert "the name of the file is empty" in capsys.readouterr().err
