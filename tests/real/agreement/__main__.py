"""A run by hand: `python -m tests.real.agreement SEED [COUNT [FOLDER]]`.

With a COUNT: the table and all disagreements, and their dumps in FOLDER. With `SEED-NUMBER`
alone: that mutant is written to `SEED-NUMBER.elf`, and what models and programs say of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.real.agreement.comparison import Tally, hold, verdicts_of
from tests.real.agreement.mutator import mutant, mutants
from tests.real.agreement.oracle import READERS, Oracle


def _one(name: str) -> None:
    seed, _, number = name.rpartition("-")
    it = mutant(seed, int(number))
    Path(f"{name}.elf").write_bytes(it.data)
    print(*it.what, sep="\n")
    verdicts = verdicts_of(it.data)
    with Oracle() as oracle:
        answers = oracle.ask(it.data)
    for reader in READERS:
        verdict, answer = verdicts[reader], answers[reader]
        rules = [fired.rule.name for fired in verdict.fired]
        print(f"\n{reader}: predicted {verdict.accepts} {verdict.osrelease!r} {verdict.stage} {verdict.says!r} {rules}")
        print(f"  said {answer.accepts} {answer.osrelease!r} {answer.stage} {answer.code} {answer.says[-2000:]!r}")


def _many(seed: str, count: int, folder: Path) -> None:
    def seen(tally: Tally) -> None:
        print(f"\r{tally.dumps} dumps, {len(tally.disagreements)} disagreements", end="", file=sys.stderr)

    with Oracle() as oracle:
        tally = hold(mutants(seed, count), oracle, seen)
    for disagreement in tally.disagreements:
        print(disagreement)
        folder.mkdir(exist_ok=True)
        (folder / f"{disagreement.mutant.name}.elf").write_bytes(disagreement.mutant.data)
    print(tally.table())


if __name__ == "__main__":
    if len(sys.argv) == 2:
        _one(sys.argv[1])
    else:
        _many(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3] if len(sys.argv) > 3 else "disagreements"))
