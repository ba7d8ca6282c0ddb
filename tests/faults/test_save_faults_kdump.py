"""Test the same faults for kdump files: in place within the sub-header's blocks and at the end, flattened, copied."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dumps import factory as elf_factory
from tests.dumps import kdump_factory as factory
from tests.faults import points, test_save_faults
from tests.faults.test_save_faults import _BIG, _DUMP, _MORE, _OUT, _SLICE, Scenario, campaign, clone, half
from vmci_tui.cli.run import main

_PLAIN = factory.kdump({at: elf_factory.ram(4096, at) for at in range(6)}, bits=32)
_FLAT = factory.flattened(_PLAIN, (452, 4096, 4176, 8192))
test_save_faults.FIRST += [_PLAIN, _FLAT]
NAMES = (
    "in the blocks", "at the end", "at the end again", "flattened", "flattened again", "undo", "flattened undo",
    "undo of a half", "finish of a half", "copy", "plain copy",
)  # fmt: skip


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scenario]:
    """Make the folders, once."""
    base = tmp_path_factory.mktemp("before")
    texts = {}
    for name, text in (("big", _BIG), ("more", _MORE)):
        (base / name).write_bytes(text)
        texts[name] = str(base / name)

    def append(which: str) -> tuple[str, ...]:
        return "append", f"@/{_DUMP}", "--text", texts[which], "--in-place", "--yes", "worse"

    def saved(before: Path, name: str, *arguments: str) -> Path:
        folder = clone(before, base / name)
        assert main([item.replace("@", str(folder)) for item in arguments]) == 0
        return folder

    def folder(name: str, data: bytes) -> Path:
        (base / name).mkdir()
        (base / name / _DUMP).write_bytes(data)
        return base / name

    plain, flat = folder("plain", _PLAIN), folder("flat", _FLAT)
    grown, flat_grown = saved(plain, "grown", *append("big")), saved(flat, "flat-grown", *append("big"))
    undo = "undo", f"@/{_DUMP}"
    copy = "append", f"@/{_DUMP}", "--text", texts["big"], "-o", f"@/{_OUT}", "--yes", "worse"
    made = [
        Scenario("in the blocks", plain, "save", ("set", f"@/{_DUMP}", "header.sysname=Linux", "--in-place")),
        Scenario("at the end", plain, "save", append("big")),
        Scenario("at the end again", grown, "save", append("more")),
        Scenario("flattened", flat, "save", append("big")),
        Scenario("flattened again", flat_grown, "save", append("more")),
        Scenario("undo", grown, "undo", undo),
        Scenario("flattened undo", flat_grown, "undo", undo),
        Scenario("undo of a half", half(flat_grown, base / "half"), "undo", undo),
        Scenario("finish of a half", base / "half", "finish", (*undo, "--finish")),
        Scenario("copy", flat, "copy", copy),
        Scenario("plain copy", flat, "copy", ("unflatten", f"@/{_DUMP}", "-o", f"@/{_OUT}")),
    ]
    return {item.name: item for item in made}


@pytest.fixture(params=NAMES)
def scenario(request: pytest.FixtureRequest, scenarios: dict[str, Scenario]) -> Scenario:
    points.need_strace()
    return scenarios[request.param]


def test_a_slice_of_all_faults(scenario: Scenario, tmp_path: Path) -> None:
    campaign(scenario, tmp_path, _SLICE)


@pytest.mark.long
def test_every_fault_at_every_call(scenario: Scenario, tmp_path: Path) -> None:
    campaign(scenario, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_writes_cut_short_or_torn(name: str, scenarios: dict[str, Scenario], tmp_path: Path) -> None:
    test_save_faults.test_every_write_cut_short_or_torn(name, scenarios, tmp_path)
