"""Fixtures that all tests share."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.paths import SAMPLES
from vmci_tui.common import internal_errors

# Read by textual when an app is made; a developer's shell must not change the pictures.
for name in ("NO_COLOR", "TEXTUAL_THEME"):
    os.environ.pop(name, None)


# A shell that starts tests in the background ignores both for all of them; the commands that they interrupt need them.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the workers of `-n auto`: two a processor, as half of what tests do is wait."""
    return 2 * len(os.sched_getaffinity(0))


@pytest.fixture
def sample(tmp_path: Path) -> Callable[[str], str]:
    """Return the path of a copy of a bundled sample: another test, or the user, may have the sample itself open."""

    def path(name: str) -> str:
        copy = tmp_path / "samples" / name
        copy.parent.mkdir(exist_ok=True)
        if not copy.exists():
            shutil.copy(SAMPLES / name, copy)
        return str(copy)

    return path


@pytest.fixture
def internal_errors_allowed() -> Iterator[None]:
    """For a test that lets vmci itself fail."""
    internal_errors.recorded.clear()
    yield
    internal_errors.recorded.clear()


@pytest.fixture(autouse=True)
def _no_mishap(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which vmci caught an internal error."""
    internal_errors.recorded.clear()
    yield
    assert "internal_errors_allowed" in request.fixturenames or not internal_errors.recorded, internal_errors.recorded


@pytest.fixture(autouse=True)
def _no_file_left_open() -> Iterator[None]:
    """Close the files that a test opens itself; one that vmci leaves open is a ResourceWarning, which is an error."""
    yield
    if opened := sys.modules.get("tests.opened_files"):
        opened.close_all()


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests away from the user's settings."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
