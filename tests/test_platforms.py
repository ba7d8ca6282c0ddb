"""Test that the markers in pyproject.toml agree with docs/platforms.md."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.dumps import kdump_factory as factory
from tests.paths import DATA, DOCS, ROOT
from vmci_tui.containers.guest import guest_of
from vmci_tui.containers.kdump.dump import open_kdump
from vmci_tui.layers.file import BytesSource

_PACKAGES = ("lzallright", "cramjam", "backports.zstd")
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
_REQUIRED = {r.name: r for r in map(Requirement, _PROJECT["dependencies"]) if r.name in _PACKAGES}
_ROWS = re.findall(r"^\| (\w+) \| (.+) \| (.+) \| (.+) \|$", (DOCS / "platforms.md").read_text(), re.M)
_TABLE = {machine: dict(zip(_PACKAGES, cells, strict=True)) for machine, *cells in _ROWS if machine != "machine"}
_NEWEST = {"lzallright": (3, 99), "cramjam": (3, 15), "backports.zstd": (3, 13)}


def _installed(machine: str, minor: int = 11, platform: str = "linux", implementation: str = "cpython") -> set[str]:
    """Return the packages that pip installs on that platform."""
    environment = {
        "platform_machine": machine, "sys_platform": platform, "implementation_name": implementation,
        "python_version": f"3.{minor}",
    }  # fmt: skip
    return {name for name, r in _REQUIRED.items() if r.marker is None or r.marker.evaluate(environment)}


@pytest.mark.parametrize("minor", range(11, 18))
@pytest.mark.parametrize("machine", _TABLE)
def test_a_package_is_installed_where_the_table_has_a_wheel(machine: str, minor: int) -> None:
    wanted = {name for name in _PACKAGES if _TABLE[machine][name] != "-" and (3, minor) <= _NEWEST[name]}
    assert _installed(machine, minor) == wanted


@pytest.mark.parametrize(
    "machine", ["ppc64", "s390", "armv8l", "armv6l", "i386", "loongarch64", "mips64", "sparc64", ""]
)
def test_nothing_is_built_elsewhere(machine: str) -> None:
    assert machine not in _TABLE and not _installed(machine)
    assert not _installed("x86_64", platform="darwin") and not _installed("x86_64", implementation="pypy")


@pytest.mark.parametrize("name", ["zlib", "lzo", "snappy", "zstd"])
def test_a_page_of_every_compression_is_read(name: str) -> None:
    data = gzip.decompress((DATA / "compressions" / f"{name}.kdump.gz").read_bytes())
    assert guest_of(open_kdump(BytesSource(data))).read(0x1000, 4096) == factory.pages(1)[1]


def test_no_decompressor_is_loaded_before_a_page_needs_it(tmp_path: Path) -> None:
    """A missing package ends nothing else."""
    path = tmp_path / "lzo.kdump"
    path.write_bytes(factory.kdump())
    script = """
import sys
for name in ("lzallright", "cramjam", "backports.zstd", "compression.zstd"):
    sys.modules[name] = None
from vmci_tui.cli.run import main
import vmci_tui.tui.app, vmci_tui.tui.screens.start_screen
sys.exit(main(["show", sys.argv[1]]) or main(["hex", sys.argv[1], "--paddr", "0x1000"]))
"""
    run = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, cwd=ROOT)
    assert (run.returncode, run.stderr) == (0, "")
