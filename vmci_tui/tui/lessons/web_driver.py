"""The driver for lessons in a browser: Textual's web driver, whose output `vmci serve` reads."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from textual.drivers.web_driver import WebDriver


class BrowserDriver(WebDriver):
    """Ends the app when its reader is gone; Textual's driver would wait for keys for ever."""

    def write(self, data: str) -> None:
        with suppress(BrokenPipeError):  # else the app fails, and hangs while it reports that
            super().write(data)

    def write_meta(self, data: dict[str, object]) -> None:
        with suppress(BrokenPipeError):
            super().write_meta(data)

    def run_input_thread(self) -> None:
        super().run_input_thread()
        if not self.exit_event.is_set():
            os.kill(os.getpid(), signal.SIGTERM)
