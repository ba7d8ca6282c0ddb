"""Every picture of the README is what the app draws now."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import SAMPLES

_MAKE = SAMPLES.parent / "screenshots" / "make.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_pictures", _MAKE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


MAKE = _load()


@pytest.fixture
def _in_samples(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Names on the screen are the same everywhere; on copies, since who has a sample open has its lock."""
    monkeypatch.chdir(shutil.copytree(SAMPLES, tmp_path / "samples"))


@pytest.mark.usefixtures("_in_samples")
@pytest.mark.parametrize("shot", MAKE.SHOTS, ids=lambda shot: shot.name)
def test_snapshot(shot: Any, snap_compare: Any) -> None:
    async def drawn(pilot: Any) -> None:
        await MAKE.press(pilot, shot.keys)

    assert snap_compare(MAKE.app_of(shot), terminal_size=shot.size, run_before=drawn)


@pytest.mark.usefixtures("_in_samples")
@pytest.mark.parametrize("shot", MAKE.SHOTS, ids=lambda shot: shot.name)
async def test_the_readme_shows_the_same(shot: Any) -> None:
    there = Path(_MAKE).parent / f"{shot.name}.svg"
    assert there.read_text() == await MAKE.draw(shot), "make them anew: python screenshots/make.py"
