"""The app: its screens, files, theme and key bindings."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections import deque
from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from textual import events
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from vmci_tui.common.errors import Cancelled, VmciError
from vmci_tui.common.packaged import packaged_text
from vmci_tui.common.safe_text import visible
from vmci_tui.common.signals import hand_to_loop
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.edit_entry import set_entry
from vmci_tui.formats.fw_cfg_entry import LENGTH, Entry, EntryHistory, Write, linux_size
from vmci_tui.layers.file import FileSource
from vmci_tui.opening.open_file import new_entry
from vmci_tui.settings import settings
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.failures import Failures
from vmci_tui.tui.garbage import Garbage
from vmci_tui.tui.guarded import Guarded
from vmci_tui.tui.key_queue import KeyQueue
from vmci_tui.tui.lessons.teacher import LESSON_BINDINGS, LessonAction, LessonRun, Teacher
from vmci_tui.tui.main_screen import MainScreen
from vmci_tui.tui.session import Session, refuse_outside
from vmci_tui.tui.style.cells import safe
from vmci_tui.tui.style.themes import SIXTEEN, prepare
from vmci_tui.tui.terminal import end_with_terminal

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from textual.command import Provider

    from vmci_tui.settings.lesson_progress import LessonProgress
    from vmci_tui.tui.background import Background
    from vmci_tui.tui.disk.files import Files


_MESSAGES: Final = 200
"""Messages that are kept to be read again."""


def _commands() -> type[Provider]:
    """Load what finds commands, once the list of them is opened."""
    from vmci_tui.tui.commands.all_bindings import CommandProvider

    return CommandProvider


class VmciApp(Guarded, App[None]):
    """Shows the main screen of a document, or the start screen; `Host` describes its methods for the screens."""

    CSS = packaged_text(__package__, "app.tcss")
    TITLE = "vmci"
    COMMANDS = {_commands}  # noqa: RUF012 - as App declares it
    NOTIFICATION_TIMEOUT = 86400  # until the next key
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (112, "-normal"), (160, "-wide")]  # noqa: RUF012 - as App declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        *LESSON_BINDINGS,
        bind("f1,question_mark", "toggle_keys", "Help", "Explain this pane and its keys", "help", show=False),
        bind("colon,ctrl+p", "command_palette", "Commands", "Find a command by a word of it", "commands.find"),
        bind("f12", "picture", "Picture", "Save a picture of the screen (SVG)", show=False),
        bind("X", "craft", "Craft a faulty dump", "Craft a faulty dump with faults you pick", show=False),
    ]

    def __init__(self, document: Document | None = None, chosen: settings.Settings | None = None) -> None:
        # With NO_COLOR Textual only removes the hue; from its ANSI themes it removes all colour.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self._pool: ThreadPoolExecutor | None = None
        self._failures, self._keys, self._teacher = Failures(self), KeyQueue(self), Teacher(self)
        self.messages: deque[str] = deque(maxlen=_MESSAGES)
        self.presses = 0
        self._painted = False
        """Whether the first screen was painted: a failure before that ends the app and is printed."""
        self._alone = self._loads = False
        """Whether the process is the app's own, and whether what the keys open was asked for."""
        self.allowed: str | None = None
        """The only folder whose files may be opened and saved; None for all."""
        self.settings = chosen or settings.load()
        self.versions: Mapping[str, str] = self.settings.readers
        """The versions of readers that judge, by their names; the default ones for all others."""
        self._first = self.session = Session(document, self) if document is not None else None
        prepare(self)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Return the commands of the palette: every action of the screen and its panes."""
        from vmci_tui.tui.commands.all_bindings import commands

        yield from commands(self, screen)

    def on_mount(self) -> None:
        hand_to_loop(asyncio.get_running_loop(), partial(self.exit, return_code=Cancelled.exit_code))
        if not self.is_headless:
            end_with_terminal()
        # Set here, not by TEXTUAL_THEME: screenshots must not depend on the environment.
        wanted = self.settings.theme or settings.last_theme()
        few = not self.is_headless and self.console.color_system in ("standard", "windows")
        self.theme = wanted if wanted in self.available_themes else SIXTEEN if few else "textual-dark"
        if self.settings.keymap:
            self.set_keymap(self.settings.keymap)
        if self._teacher.begins:
            self._teacher.begin()
        elif self._first is None:
            from vmci_tui.tui.screens.start_screen import StartScreen

            self.push_screen(StartScreen())

    def get_default_screen(self) -> Screen[Any]:
        """Return the first document's screen: pushed onto Textual's blank one it is painted 40 ms later."""
        return self._screen_of(self._first) if self._first else super().get_default_screen()

    def background(self) -> Background[Any]:
        """Return a runner for judgements; all share one thread, because a dump's caches are not thread-safe."""
        from vmci_tui.tui.background import Background, one_thread

        self._pool = self._pool or one_thread()
        return Background(self.call_later, self._pool)

    def on_ready(self) -> None:
        self._painted = True
        self._alone = not gc.isenabled()  # the command line disabled it
        if self._alone:
            Garbage(self)
        self._show_troubles()
        if self._first is not None:
            self._remember(self._first.document)
        else:
            self.load_rest()

    def load_rest(self) -> None:
        if not self._loads:
            from vmci_tui.tui.background import run_aside
            from vmci_tui.tui.load_rest import load_rest

            self._loads = True
            run_aside(partial(load_rest, self._alone))

    def _show_troubles(self) -> None:
        """Report once what is wrong in the user's settings; a browser session has no settings."""
        if self.allowed is None:
            if self.settings.keymap:
                self._show_unknown_ids()
            if self.versions:
                self._check_versions()
            for words in (*filter(None, (self.settings.trouble,)), *settings.troubles()):
                self.notify(words, severity="warning", markup=False)

    def _check_versions(self) -> None:
        """Report a reader or version in the settings that is not known, and use the defaults."""
        from vmci_tui.settings.readers import readers_of

        trouble = readers_of(self.versions)[1]
        if trouble is not None:
            self.versions = {}
            self.notify(trouble, severity="warning", markup=False)

    def _show_unknown_ids(self) -> None:
        from vmci_tui.tui.commands.all_bindings import unknown_ids

        if unknown := unknown_ids(self.settings.keymap):
            name = f"keymap.{visible(unknown[0])}"
            words = f"settings: {name} is not the name of a key; the command Settings lists the names"
            self.notify(words, severity="warning", markup=False)

    def action_change_theme(self) -> None:
        """Show the themes, each as the cursor is on it."""
        from vmci_tui.tui.widgets.theme_dialog import ThemeDialog

        self.push_screen(ThemeDialog(self._store_theme))

    def _store_theme(self) -> None:
        """Store the theme in use for the next start."""
        if self.settings.theme is None:
            settings.store_theme(self.theme)
        elif self.settings.theme != self.theme:
            words = f"settings.toml names the theme {self.settings.theme}: this one lasts until you quit"
            self.notify(safe(words), markup=False)

    def on_unmount(self) -> None:
        self._teacher.drop()
        self.close_files()

    # Keys and failures

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.MouseDown) and not event.is_forwarded:
            self.clear_notifications()  # whoever goes on has read them
            self.presses += 1
        await self._keys.take(event, super().on_event)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: Literal["information", "warning", "error"] = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show a message over the status line until the next key, and keep it to be read again."""
        self.messages.append(f"{time.strftime('%H:%M:%S')}  {message}")
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def failed(self, error: BaseException, painting: bool = False) -> None:
        self._failures.say(error, painting)

    def show_mishaps(self) -> None:
        self._failures.show_mishaps()

    def _handle_exception(self, error: Exception) -> None:
        if self._painted:
            self.failed(error, painting=True)
        else:
            super()._handle_exception(error)

    # Lessons

    @property
    def lesson(self) -> LessonRun | None:
        """Return the running lesson."""
        return self._teacher.run

    @property
    def lessons_in(self) -> str | None:
        return self._teacher.folder

    @property
    def lesson_progress(self) -> LessonProgress:
        return self._teacher.progress

    def switch_advance(self) -> None:
        self._teacher.switch_advance()

    def teach(self, path: str | None, folder: str | None, allowed: str | None) -> None:
        """Begin with this lesson, or with the list of the folder's; call it before the app runs."""
        self._teacher.teach(path, folder)
        self.allowed = allowed

    def start_lesson(self, path: str) -> None:
        self._teacher.start(path)

    def check_step(self) -> None:
        """Check whether the lesson's step is done."""
        self._teacher.check_step()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.lesson is not None if action == "lesson" else super().check_action(action, parameters)

    def action_lessons(self) -> None:
        self._teacher.show_list()

    def action_lesson(self, name: LessonAction) -> None:
        self._teacher.act(name)

    # Files

    @cached_property
    def _files(self) -> Files:
        from vmci_tui.tui.disk.files import Files

        return Files(self)

    def open_recent(self, path: str, blob: str | None) -> None:
        self._files.open(path, blob)

    def has_unsaved(self) -> bool:
        return self.session is not None and self.session.document.unsaved

    def close_files(self) -> None:
        if self.session is not None:
            self.session.document.close()
            self.session = None

    def _remember(self, document: Document) -> None:
        """Add the file to the recent ones, and ask about an interrupted save; call it once the file is shown."""
        path, named = document.path, document.opened_as
        if self.lesson is not None or path is None or not os.path.isfile(path) or not (named and named.is_plain):
            return
        settings.remember(path, document.blob.path if isinstance(document.blob, FileSource) else None)
        if os.path.exists(os.path.realpath(path) + ".vmci-undo"):
            self.call_later(self._files.ask_unfinished, document)

    def action_toggle_keys(self) -> None:
        """Show what the focused pane is, and its keys."""
        from vmci_tui.tui.screens.help_screen import HelpScreen, help_of

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(help_of(self.screen))

    def action_command_palette(self) -> None:
        from vmci_tui.tui.commands.palette import ID, Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id=ID))

    def action_picture(self) -> None:
        """Save a picture of the screen to the folder where the app was started."""
        from vmci_tui.tui.screenshot import save_picture

        try:
            self.refuse_outside("vmci.svg")
            self.notify(f"saved {save_picture(self)}", markup=False)
        except VmciError as error:
            self.notify(safe(str(error)), severity="error", markup=False)

    def action_help_quit(self) -> None:
        """Say how to quit; ctrl+c, which ends programs elsewhere, must not lose edits."""
        self.notify("q quits, Esc goes back; ctrl+c does not end vmci", markup=False)

    async def action_quit(self) -> None:
        """Quit from any screen; ask first if there are unsaved edits."""
        main = next((screen for screen in self.screen_stack if isinstance(screen, MainScreen)), None)
        if main is not None and main.document.unsaved:
            main.action_leave()
        else:
            self.exit()

    def _screen_of(self, session: Session) -> MainScreen:
        document = session.document
        if isinstance(document.source, FileSource):
            document.read_only = not document.source.lock()
        # Set now, because the first resize would style every widget again before the first paint.
        width = next(name for least, name in reversed(self.HORIZONTAL_BREAKPOINTS) if self.size.width >= least)
        return MainScreen(session, width)

    def refuse_outside(self, path: str) -> None:
        refuse_outside(path, self)

    def open(self, path: str, blob: str | None = None) -> bool:
        try:
            self.open_file(path, blob)
        except VmciError as error:
            self.notify(safe(str(error)), severity="error", markup=False)
            return False
        return True

    def open_file(self, path: str, blob: str | None = None) -> None:
        self._show(Session.open(path, blob, self))

    def open_new(self) -> None:
        """Show an entry as Linux with 4 KiB pages would write it, with paddr 0."""
        document = new_entry(EntryHistory("blob"))
        raw = Entry(0, 1, linux_size(4096), 0).pack()
        document.edit(Edit.of(set_entry, EntryHistory("blob", (Write(0, LENGTH, raw),))).named("a new entry"))
        self.show_document(document)

    def show_document(self, document: Document) -> None:
        self._show(Session(document, self))

    def show_start(self) -> None:
        """Show the samples and recent files, over the open file."""
        from vmci_tui.tui.screens.start_screen import StartScreen

        self.push_screen(StartScreen(back=True))

    def action_craft(self) -> None:
        """Show the fault bench over the open file; not in a lesson, which has its own files."""
        from vmci_tui.tui.screens.bench_screen import BenchScreen

        if self.lesson is None and not isinstance(self.screen, BenchScreen):
            self.push_screen(BenchScreen())

    def ask_open(self, typed: str = "") -> None:
        from vmci_tui.tui.screens.open_screen import OpenScreen

        self.push_screen(OpenScreen(typed))

    def _show(self, session: Session) -> None:
        self.close_files()
        self.session = session
        self.call_later(self.replace_screens, self._screen_of(session))
        self._remember(session.document)

    def reopen(self, document: Document) -> None:
        if isinstance(source := document.source, FileSource):
            document.close()
            blob = document.blob.path if isinstance(document.blob, FileSource) else None
            self.open(source.path, blob)

    def undo_last_save(self, document: Document, path: str, force: bool = False) -> None:
        self._files.undo_save(document, path, finishing=False, force=force)

    async def replace_screens(self, screen: Screen[None]) -> None:
        """Replace all screens by this one, except the first, which Textual cannot remove."""
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        await self.push_screen(screen)
