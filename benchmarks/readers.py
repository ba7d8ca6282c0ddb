"""Measure the cost of judging: `check` compared with `show` of one dump, and the verdicts at each keystroke.

    python benchmarks/readers.py

Runs alternate; a ratio of one run says more than a time. "keystroke" is what a dialog computes
while a line of a text of 2,000 lines is typed: parse, lay out, seven readers.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from vmci_tui.document import edit_notes, edit_text
from vmci_tui.document.edit import Edit
from vmci_tui.findings.judgement import Judgement
from vmci_tui.opening.open_file import open_document

_SAMPLES = Path(__file__).parent.parent / "sample_dumps"
_RUNS = 21


def _with_keys(folder: str, count: int) -> str:
    """Return the cut amd64 dump with a text of `count` lines."""
    document = open_document(str(_SAMPLES / "amd64-cut-note.elf"))
    text = document.state.vmcoreinfo
    assert text is not None and document.dump is not None
    lines = text.text.splitlines(keepends=True)
    lines += [b"NUMBER(number_%06d)=%d\n" % (n, n) for n in range(count - len(lines))]
    document.edit(Edit.of(edit_notes.append_text, b"".join(lines[:count]), document.dump.order))
    path = Path(folder) / f"{count}.elf"
    image = document.saved_layout.image
    path.write_bytes(image.read(document.source, 0, image.size))
    return str(path)


def _took(*command: str) -> float:
    """Return the processor time of a command, of itself and of Linux for it, which other work changes little."""
    # A checkout has its .pyc files after the first run.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen([sys.executable, "-m", "vmci_tui", *command], stdout=subprocess.DEVNULL, env=env)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sample = str(_SAMPLES / "amd64-cut-note.elf")
        for what, path, form in (("cut sample", sample, ()), ("300 keys", _with_keys(folder, 300), ("--json",))):
            show, check = [], []
            for number in range(_RUNS + 1):
                times = _took("show", path, *form), _took("check", path, *form)
                if number:  # the first round only warms the caches
                    show.append(times[0])
                    check.append(times[1])
            a, b = statistics.median(show) * 1e3, statistics.median(check) * 1e3
            print(f"{what}, processor: show {a:.0f} ms, check {b:.0f} ms: {b - a:.0f} ms more, {b / a:.2f} times")
        document = open_document(_with_keys(folder, 2000))
        judgement = Judgement.of(document)
        times = []
        for number in range(200):
            start = perf_counter()
            edit = Edit.of(edit_text.set_key, b"OSRELEASE", b"6.1.%d" % number)
            _ = judgement.later(document.with_edit(edit)).both
            times.append(perf_counter() - start)
        times.sort()
        median, worst = times[100] * 1e3, times[197] * 1e3
        print(f"2,000 lines: a keystroke {median:.1f} ms in the median, {worst:.1f} ms in the worst 1 %")


if __name__ == "__main__":
    main()
