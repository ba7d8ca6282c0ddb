"""Paths of the checkout that tests use."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
DATA: Final = ROOT / "tests" / "data"
DOCS: Final = ROOT / "docs"
SAMPLES: Final = ROOT / "sample_dumps"
