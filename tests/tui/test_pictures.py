"""Test that every picture of the README shows what the app draws now."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pytest_textual_snapshot
import textual._doc
from syrupy.location import PyTestLocation
from textual.app import App

from tests.paths import ROOT, SAMPLES

_PICTURES = ROOT / "screenshots"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_pictures", _PICTURES / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


MAKE = _load()


class Picture(pytest_textual_snapshot.SVGImageExtension):  # type: ignore[misc]
    """A snapshot that is a picture of the README, not a copy of it."""

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(_PICTURES)

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: Any = 0) -> str:
        return test_location.snapshot_name.partition("[")[2].removesuffix("]")


@pytest.fixture
def _kept_for_the_readme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytest_textual_snapshot, "SVGImageExtension", Picture)


@pytest.fixture
def _in_samples(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Use copies in a fixed folder: names on the screen must be stable, and an open sample is locked."""
    monkeypatch.chdir(shutil.copytree(SAMPLES, tmp_path / "samples"))


@pytest.mark.usefixtures("_in_samples", "_kept_for_the_readme")
@pytest.mark.parametrize("shot", (*MAKE.SHOTS, *MAKE.STORIES), ids=lambda shot: shot.name)
def test_the_readme_shows_what_the_app_draws(shot: Any, snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw as for the README, because snap_compare simplifies its own pictures; its report shows the changes."""
    drawn = asyncio.run(MAKE.draw(shot))
    monkeypatch.setattr(textual._doc, "take_svg_screenshot", lambda **_: drawn)
    assert snap_compare(App()), "make them again: python screenshots/make.py"


def test_every_picture_is_made() -> None:
    assert sorted(path.stem for path in _PICTURES.glob("*.svg")) == sorted(
        shot.name for shot in (*MAKE.SHOTS, *MAKE.STORIES)
    )
