"""Locate the built wheel and vmci.pyz: `make installed` builds them and sets variables; otherwise these tests skip."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess, run

import pytest

Run = Callable[..., CompletedProcess[str]]


def _built(variable: str) -> Path:
    """Return the path in a variable, relative to the folder in which pytest was started."""
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set: `make installed` builds and tests it")
    return Path(os.environ[variable]).absolute()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a user whose files are all in a folder of the test."""
    inside = {"HOME": "home", "TMPDIR": "tmp", "XDG_CONFIG_HOME": "home", "XDG_STATE_HOME": "home"}
    for name in set(inside.values()):
        (tmp_path / name).mkdir()
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"} | {key: str(tmp_path / name) for key, name in inside.items()}


@pytest.fixture
def installed() -> Path:
    """Return the environment in which only the wheel is installed."""
    return _built("VMCI_INSTALLED")


@pytest.fixture
def pyz() -> Path:
    """Return the path of vmci.pyz."""
    return _built("VMCI_PYZ")


@pytest.fixture
def started(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Return a function that runs a command in an empty folder."""

    def ran(*command: str | Path) -> CompletedProcess[str]:
        return run(
            [*map(str, command)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return ran
