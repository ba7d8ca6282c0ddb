"""Compare `vmci show` with itself, drgn and pyelftools' readelf.py, and print ratios of medians.

Needs drgn. Run by hand: `python benchmarks/headless.py [RUNS]`. The contestants take turns,
so that whatever else the machine does hits all of them alike.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sparse import make_sparse

GIB = 1 << 30
BIN = Path(sys.executable).parent
_DRGN = "import sys, drgn; p = drgn.Program(); p.set_core_dump(sys.argv[1]); print(p['VMCOREINFO'])"


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    with tempfile.TemporaryDirectory() as folder:
        small = str(make_sparse(Path(folder) / "1GiB.elf", GIB))
        large = str(make_sparse(Path(folder) / "1TiB.elf", 1024 * GIB))
        python, readelf = sys.executable, shutil.which("readelf.py", path=str(BIN))
        assert readelf, "pyelftools brings readelf.py"
        show = [str(BIN / "vmci"), "show"]
        times = measure(
            {
                "vmci show, 1 GiB": [*show, small],
                "vmci show, 1 TiB": [*show, large],
                "vmci show --json, 1 TiB": [*show, "--json", large],
                "drgn, 1 TiB": [python, "-c", _DRGN, large],
                "readelf.py -n, 1 TiB": [python, readelf, "-n", large],
                "python -c pass": [python, "-c", "pass"],
            },
            runs,
        )
    median = {name: statistics.median(values) for name, values in times.items()}
    print(f"| program | median of {runs}, ms | least, ms |\n|---|---|---|")
    for name, values in times.items():
        print(f"| {name} | {median[name]:.1f} | {min(values):.1f} |")
    ours = median["vmci show, 1 TiB"]
    print("\n| ratio of medians | is | at most |\n|---|---|---|")
    print(f"| `vmci show` of 1 TiB to 1 GiB | {ours / median['vmci show, 1 GiB']:.2f} | 1.10 |")
    print(f"| `vmci show` to drgn | {ours / median['drgn, 1 TiB']:.2f} | 0.50 |")
    print(f"| `vmci show` to `readelf.py -n` | {ours / median['readelf.py -n, 1 TiB']:.2f} | 1.00 |")


def measure(commands: dict[str, list[str]], runs: int) -> dict[str, list[float]]:
    """Return the wall-clock milliseconds of each run; the first round only warms the caches."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    # A checkout has its .pyc files after the first run, as pip makes them for the others.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for number in range(runs + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True, env=env)
            if number:
                times[name].append((time.perf_counter() - start) * 1000)
    return times


if __name__ == "__main__":
    main()
