"""Test that the line at the foot is painted anew wherever it changes."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region

from vmci_tui.tui.widgets.status_line import StatusLine


class _Line(App[None]):
    def compose(self) -> ComposeResult:
        yield StatusLine(id="status")


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (("short", "end of it"), ("short, but longer than before, and more", "end of it"), (5, 40)),
        (("short, but longer than before, and more", "end of it"), ("short", "end of it"), (5, 40)),
        (("abcdef", ""), ("abXdef", ""), (2, 3)),
        (("text", "an end that is too long for this line..", "short"), ("text", "short"), None),
        (("text", "longer end", "short"), ("text", "short"), (30, 40)),
        (("same", "end"), ("same", "end"), None),
        (("x" * 50, ""), ("x" * 60, ""), None),
    ],
)
async def test_all_cells_that_change_are_painted(
    before: tuple[str, ...], after: tuple[str, ...], changed: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[Region] = []
    async with _Line().run_test(size=(40, 5)) as pilot:
        line = pilot.app.query_one(StatusLine)
        line.styles.width, line.styles.height = 40, 1
        await pilot.pause()
        line.set_text(*before)
        await pilot.pause()
        with monkeypatch.context() as patch:
            patch.setattr(line, "refresh", lambda *regions, **_: painted.extend(regions))
            line.set_text(*after)
    if changed is None:
        assert not painted
    else:
        (region,) = painted
        assert region.x <= changed[0] and region.x + region.width >= changed[1] - 1
