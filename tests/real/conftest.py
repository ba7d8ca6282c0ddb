"""Collect the tests of whole dumps only if there are some: they are too large to bundle."""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("VMCI_FULL_DUMPS") else ["test_full*.py"]


def pytest_report_header() -> str:
    return f"whole dumps: {os.environ.get('VMCI_FULL_DUMPS') or 'none (VMCI_FULL_DUMPS names a folder with some)'}"
