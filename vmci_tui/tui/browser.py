"""How the lessons are drawn in a browser: by Textual's web driver, which `vmci serve` listens to."""

from __future__ import annotations

import os
import signal

from textual.drivers.web_driver import WebDriver


class BrowserDriver(WebDriver):
    """Ends the app where nobody listens any more: Textual's own would wait for keys for ever."""

    def run_input_thread(self) -> None:
        super().run_input_thread()
        if not self.exit_event.is_set():
            os.kill(os.getpid(), signal.SIGTERM)
