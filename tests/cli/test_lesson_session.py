"""Test one session of `vmci serve`: messages of the page, and the end of the process whenever the server ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from pathlib import Path

from tests.cli.serving import KEYS
from tests.limits import PATIENCE
from vmci_tui.cli.commands.serve import session_command
from vmci_tui.cli.serving.lesson_session import COLUMNS, ROWS, Size, _end, _environment, clamped, cost_of, packet_of


def test_valid_and_invalid_messages_of_a_page() -> None:
    assert packet_of(["stdin", "é"]) == b"D\0\0\0\2\xc3\xa9"
    kind, payload = (packet_of(["resize", {"width": 10**30, "height": -1}]) or b"")[:1], packet_of(["blur"]) or b""
    assert kind == b"M" and json.loads(payload[5:]) == {"type": "blur"}
    for junk in (None, 5, [], ["stdin", b"x"], ["quit"], ["resize", {"width": 5}], {"stdin": "x"}):
        assert packet_of(junk) is None
    assert clamped("20000", "20000") == clamped(10**30, 10**30) == (COLUMNS[-1], ROWS[-1])
    assert clamped("-1", "x") == clamped(None, 1.5) == clamped("9" * 5000, "") == (80, 24)
    assert clamped("0", True) == (COLUMNS[0], ROWS[0]) and clamped("120", 40) == (120, 40)


def test_a_paste_counts_its_letters_and_a_mouse_its_moves() -> None:
    assert cost_of(["stdin", "\x1b[<35;100;20M" * 3], 90) == 3
    assert cost_of(["stdin", "\x1b[200~" + "a\n" * 2048 + "\x1b[201~"], 9000) == 4098
    assert cost_of(["stdin", ""], 12) == cost_of(["focus"], 9) == 1 and cost_of(None, 6400) == 101


async def test_a_session_that_ends_with_the_server_is_reaped() -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "sleep", "1000", stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    )
    ending = asyncio.create_task(_end(process))
    await asyncio.sleep(0)
    ending.cancel()
    await asyncio.wait((ending,))
    assert process.returncode == -signal.SIGKILL


def test_a_drawing_session_ends_if_its_server_dies(tmp_path: Path) -> None:
    pipe = subprocess.PIPE
    environment = _environment(Size(80, 24), str(tmp_path))
    with subprocess.Popen(
        session_command(None, "entry"),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=environment,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        drawn = b""
        while b"3 Bytes" not in drawn:
            drawn += os.read(process.stdout.fileno(), 1 << 16)
        process.stdout.close()
        for _ in range(3):
            process.stdin.write(packet_of(["stdin", KEYS["down"]]) or b"")
            process.stdin.flush()
            time.sleep(0.1)
        process.stdin.close()
        process.wait(PATIENCE)
    assert list(tmp_path.iterdir()) == []
