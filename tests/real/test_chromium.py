"""Test the lessons in a real browser: the page renders, a lesson is done by keys, and no other address is opened."""

from __future__ import annotations

from pathlib import Path

from tests.cli.serving import served
from tests.paths import SAMPLES
from tests.real.chromium import chromium
from tests.real.readers import need

_PNG = b"\x89PNG\r\n\x1a\n"


async def test_a_lesson_from_start_to_end_in_chromium(tmp_path: Path) -> None:
    need("chromium")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    async with served(scratch) as serve, chromium("chromium", tmp_path / "profile", serve.process.pid) as page:
        await page.open(serve.url)
        await page.wait_for("Lessons", "What an entry is", "12")
        assert await page.evaluate("document.title") == "vmci lessons"
        assert await page.evaluate("document.activeElement.className") == "xterm-helper-textarea"
        assert await page.evaluate("document.fonts.check('16px Roboto Mono')")
        await page.press("enter")  # without a click
        await page.wait_for("Lesson: What an entry is  1/5", "host_format")
        empty = len(await page.picture())
        await page.to_the_size()
        await page.press("backspace", "backspace", "backspace", "backspace", "backspace", "backspace", "11", "enter")
        await page.wait_for("3/5", "[F7 Next]", "E05")
        await page.press("f7", "u")
        await page.wait_for("4/5", "[F7 Next]")
        await page.press("f7")
        await page.press_until("up", "5/5", "guest_format 1 = 0x1 [01 00]")
        await page.press("enter")
        await page.wait_for("guest_format = 1")
        await page.press("backspace", "backspace", "backspace", "0", "enter")
        await page.wait_for("5/5", "[F7 End]")
        picture = await page.picture()
        assert picture.startswith(_PNG) and min(len(picture), empty) > 20_000, "something is painted"
        await page.press("o")
        await page.wait_for("unsaved edits")  # the edits of this step
        await page.press("escape", "u", "o")
        await page.wait_for("Open a dump")
        await page.press(str(SAMPLES / "good.entry"), "enter")
        await page.wait_for("outside", "lesson's")
        assert page.asked and all(url.startswith(serve.url) for url in page.asked), page.asked
    assert list(scratch.iterdir()) == []
