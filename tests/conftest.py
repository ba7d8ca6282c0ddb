"""Fixtures that all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

# Read by textual when an app is made; a developer's shell must not change the pictures.
for name in ("NO_COLOR", "TEXTUAL_THEME"):
    os.environ.pop(name, None)

SAMPLES = Path(__file__).parent.parent / "sample_dumps"


@pytest.fixture
def sample() -> Callable[[str], str]:
    """The path of a bundled sample."""

    def path(name: str) -> str:
        assert (SAMPLES / name).exists(), name
        return str(SAMPLES / name)

    return path


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the settings of whoever runs it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
