"""Test the client of QEMU's monitor, as far as no QEMU is needed."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import cast

import pytest

from vmci_tui.qemu.monitor import Monitor
from vmci_tui.qemu.process import QemuProcess


def test_a_signal_while_the_loop_is_made_waits_until_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[asyncio.AbstractEventLoop] = []
    new = asyncio.new_event_loop

    def interrupted() -> asyncio.AbstractEventLoop:
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        made.append(new())
        return made[0]

    monkeypatch.setattr(asyncio, "new_event_loop", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Monitor(cast(QemuProcess, None))
    made[0].close()
