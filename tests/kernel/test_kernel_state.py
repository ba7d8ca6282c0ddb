"""Test the state of a kernel: the reason of its panic and its times by a real log, its taint by a made variable."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.findings.test_lines import facts_in, proved_dump
from tests.kernel.test_lines import kernel_with
from tests.opened_files import open_document
from tests.paths import SAMPLES
from vmci_tui.adoption.kernel_state import kernel_state
from vmci_tui.cli.run import main
from vmci_tui.containers.guest import guest_of
from vmci_tui.findings.judgement import Judgement
from vmci_tui.kernel.lines.kernel_state import KernelState
from vmci_tui.render.kernel.state_words import state_in_short, state_json, state_words
from vmci_tui.tui.widgets.title_words import kernel_words
from vmci_tui.verdict.judged import diagnosis


def test_the_panic_of_a_real_kernel() -> None:
    document = open_document(str(SAMPLES / "amd64-panic.kdump"))
    text = document.state.vmcoreinfo
    assert document.dump is not None and text is not None
    kernel = replace(
        kernel_with(symbols={b"tainted_mask": 0}), read=lambda _at, length: (1 << 12 | 1).to_bytes(length, "little")
    )
    state = kernel_state(kernel, text, guest_of(document.dump))
    assert state.panic == b"Kernel panic - not syncing: sysrq triggered crash" and state.flags == "PO"
    assert state.seconds == pytest.approx(3.256, abs=0.01)
    assert state_words(state) == (
        "the kernel panicked (sysrq triggered crash), its log ends 3 s after boot, it is tainted: P O"
    )
    assert state_json(state) == {
        "panic": state.panic.decode(), "taint": 4097, "flags": "PO", "logged": state.seconds, "uptime": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (62, "1 min 2 s"), (7200, "2 h 0 min"), (93600 * 3, "3 d 6 h")]
)
def test_times_have_two_parts(seconds: float, words: str) -> None:
    assert state_words(KernelState(b"", 0, seconds)) == f"its log ends {words} after boot"


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert state_words(KernelState(b"", None, None)) == "" and state_json(None) is None


def test_the_verdict_names_the_reason_of_the_panic() -> None:
    document = proved_dump()
    state = KernelState(b"Kernel panic - not syncing: Fatal exception", 0, 5.0)
    shown = diagnosis(Judgement.of(document, facts=replace(facts_in(document), state=state)), None, None)
    assert shown.detail[0].startswith(
        "The kernel panicked (Fatal exception); Guest memory proves its note and confirms "
    )


def test_the_verdict_names_the_uptime() -> None:
    document = proved_dump()
    for state, words in (
        (KernelState(b"", 0, 5.0, 3700.0), "; the kernel was up 1 h 1 min"),
        (
            KernelState(b"Kernel panic - not syncing: Oops", 0, 5.0, 61.0),
            "The kernel panicked after 1 min 1 s (Oops); ",
        ),
    ):
        facts = replace(facts_in(document), state=state)
        assert words in diagnosis(Judgement.of(document, facts=facts), None, None).detail[0]


def test_the_first_line_of_show_has_what_memory_says_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    sample = str(SAMPLES / "amd64-panic.kdump")
    assert main(["show", sample, "--kernel"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert "KiB, panicked (sysrq triggered crash), log ends at 3 s; VMCOREINFO note" in shown[0]
    assert main(["show", sample]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == shown[1:]
    assert main(["show", sample, "--kernel", "--json"]) == 0
    kernel = json.loads(capsys.readouterr().out)["kernel"]
    assert kernel["release"].startswith("6.1.0") and kernel["panic"].endswith("sysrq triggered crash")
    assert main(["show", sample, "--kernel", "--tree"]) == 2


def test_a_state_in_short() -> None:
    assert list(state_in_short(KernelState(b"", 1 << 12, 5.0, 7300.0))) == ["up 2 h 1 min", "tainted: O"]
    assert list(state_in_short(KernelState(b"Kernel panic - not syncing: Oops", 0, None))) == ["panicked (Oops)"]


def test_a_verdict_for_a_narrow_screen_has_the_reason_alone() -> None:
    document = proved_dump()
    panicked = KernelState(b"Kernel panic - not syncing: Oops", 0, 5.0, 61.0)
    for state, words in ((panicked, "The kernel panicked (Oops)."), (None, "Guest memory proves its note.")):
        facts = replace(facts_in(document), state=state)
        assert diagnosis(Judgement.of(document, facts=facts), None, None).detail[-1] == words


def test_the_title_has_the_uptime_where_there_is_room() -> None:
    document = proved_dump()
    judgement = Judgement.of(document, facts=replace(facts_in(document), state=KernelState(b"", 0, 5.0, 61.0)))
    long, short = kernel_words(document, judgement)
    assert long == f"{short.rstrip()}, up 1 min 1 s " and short.endswith("(proved) ")
