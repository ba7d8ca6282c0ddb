"""Measure the cost of judging: `check` compared with `show` of one dump, and the verdicts at each keystroke.

    python benchmarks/readers.py

Runs alternate; a ratio of one run says more than a time. "keystroke" is what a dialog computes
while a line of a text of 2,000 lines is typed: parse, lay out, seven readers.
"""

from __future__ import annotations

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
    start = perf_counter()
    subprocess.run([sys.executable, "-m", "vmci_tui", *command], stdout=subprocess.DEVNULL, check=False)
    return perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = _with_keys(folder, 300)
        show, check = [], []
        for _ in range(_RUNS):
            show.append(_took("show", path, "--json"))
            check.append(_took("check", path, "--json"))
        a, b = statistics.median(show), statistics.median(check)
        print(
            f"300 keys: show {a * 1e3:.0f} ms, check {b * 1e3:.0f} ms: {(b - a) * 1e3:.0f} ms more, {b / a:.2f} times"
        )
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
