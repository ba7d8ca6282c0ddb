"""Run by hand: `python -m tests.real.agreement [kdump] SEED [COUNT [FOLDER]]`.

With a COUNT: the table and all disagreements, and their dumps in FOLDER. With `SEED-NUMBER`
alone: write that mutant to `SEED-NUMBER.elf`, and print the answers of models and programs.
With `kdump` before it the files are kdump-compressed or flattened ones.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.real.agreement.comparison import Tally, hold, verdicts_of
from tests.real.agreement.kdump_mutations import KDUMP_READERS, MEMORY, kdump_mutant, kdump_mutants
from tests.real.agreement.mutator import mutant, mutants
from tests.real.agreement.oracle import READERS, Conditions, Oracle


def _oracle(kdump: bool) -> Oracle:
    return Oracle(KDUMP_READERS, Conditions(MEMORY)) if kdump else Oracle(READERS)


def _one(kdump: bool, name: str) -> None:
    seed, _, number = name.removeprefix("kdump-").rpartition("-")
    it = (kdump_mutant if kdump else mutant)(seed, int(number))
    Path(f"{name}.{'kdump' if kdump else 'elf'}").write_bytes(it.data)
    print(*it.what, sep="\n")
    verdicts = verdicts_of(it.data)
    with _oracle(kdump) as oracle:
        answers = oracle.ask(it.data)
    for reader in answers:
        verdict, answer = verdicts[reader], answers[reader]
        rules = [fired.rule.name for fired in verdict.fired]
        print(f"\n{reader}: predicted {verdict.accepts} {verdict.osrelease!r} {verdict.stage} {verdict.says!r} {rules}")
        print(f"  said {answer.accepts} {answer.osrelease!r} {answer.stage} {answer.code} {answer.says[-2000:]!r}")


def _many(kdump: bool, seed: str, count: int, folder: Path) -> None:
    def seen(tally: Tally) -> None:
        print(f"\r{tally.dumps} dumps, {len(tally.disagreements)} disagreements", end="", file=sys.stderr)

    with _oracle(kdump) as oracle:
        tally = hold((kdump_mutants if kdump else mutants)(seed, count), oracle, seen)
    for disagreement in tally.disagreements:
        print(disagreement)
        folder.mkdir(exist_ok=True)
        (folder / f"{disagreement.mutant.name}.{'kdump' if kdump else 'elf'}").write_bytes(disagreement.mutant.data)
    print(tally.table())


if __name__ == "__main__":
    is_kdump = sys.argv[1] == "kdump"
    rest = sys.argv[2:] if is_kdump else sys.argv[1:]
    if len(rest) == 1:
        _one(is_kdump, rest[0])
    else:
        _many(is_kdump, rest[0], int(rest[1]), Path(rest[2] if len(rest) > 2 else "disagreements"))
