"""Test the tasks of CPUs of whole dumps of booted guests: by what their logs say, and by independent witnesses.

VMCI_GUESTS names a folder with dumps of booted guests in `*/dumps/*.elf`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.opened_files import open_document
from vmci_tui.adoption.located_cpus import locate_cpus
from vmci_tui.adoption.text_to_read import text_to_read
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import guest_of
from vmci_tui.kernel.log.read_log import read_log
from vmci_tui.kernel.tasks.current import NO_TYPES, Task

_GUESTS = sorted(Path(os.environ["VMCI_GUESTS"]).glob("*/dumps/*.elf")) if "VMCI_GUESTS" in os.environ else []
_PANICKED = re.compile(rb"CPU: (\d+) .*PID: (\d+) Comm: (\S+)")


@pytest.mark.long
@pytest.mark.skipif(not _GUESTS, reason="VMCI_GUESTS names no folder with dumps of booted guests")
@pytest.mark.parametrize("path", _GUESTS, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_the_task_is_the_one_of_the_log_or_the_idle_task(path: Path) -> None:
    with open_document(str(path)) as document:
        assert document.dump is not None
        guest = guest_of(document.dump)
        located = locate_cpus(document.state, guest, no_progress)
        text = text_to_read(document.state.vmcoreinfo, guest, no_progress).text
        assert text is not None
        log = read_log(text, guest).records
    if NO_TYPES in located.tasks:
        assert set(located.tasks) == {NO_TYPES}
        return
    expected = {one.cpu.number: Task(0, b"swapper/%d" % one.cpu.number) for one in located.found.cpus}
    panics = [number for number, record in enumerate(log) if record.text.startswith(b"Kernel panic")]
    for record in log[panics[0] :] if panics else ():
        if (match := _PANICKED.search(record.text)) is not None:
            expected[int(match[1])] = Task(int(match[2]), match[3])
    assert dict(enumerate(located.tasks)) == expected
    assert not panics or Task(1, b"init") in located.tasks
