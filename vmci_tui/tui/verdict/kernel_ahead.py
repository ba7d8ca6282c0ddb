"""Look in the background what the kernel's own tables in memory say: of each line of the note, and of addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from vmci_tui.adoption.apart.kernel import kernel_apart
from vmci_tui.adoption.kernel_facts import KernelFound, kernel_found
from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import Cancelled
from vmci_tui.containers.guest import guest_of
from vmci_tui.findings.judgement import Judgement
from vmci_tui.layers.file import FileSource
from vmci_tui.tui.background import Background, one_thread

if TYPE_CHECKING:
    from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
    from vmci_tui.kernel.facts.running_kernel import NotKnown

_SMALL: Final = 16 << 20
"""Bytes of guest memory that are looked through in a thread: quicker than a process starts."""


class AheadHost(Protocol):
    """What work in the background needs from the app."""

    versions: Mapping[str, str]
    """The versions of readers that judge, by their names; the default ones for all others."""

    def background(self) -> Background[Any]:
        """Return a runner for background jobs."""

    def failed(self, error: BaseException) -> None:
        """Report an error of a job."""


class AheadSession(Protocol):
    """The open file, as far as work in the background needs it."""

    judgement: Judgement | None
    """Of the current state; None while that is being judged."""

    def announce(self, event: Literal["tried"]) -> None:
        """Say that more is known of a repair."""

    def learn(self, found: KernelFound) -> None:
        """Take what the kernel's tables in memory say."""


class KernelAhead:
    """Looks once for a file, and again for a text with keys that were not looked up; `learn` gets what was found."""

    def __init__(self, around: AheadHost, learn: Callable[[KernelFound], None]) -> None:
        self.found: KernelFound | None = None
        self._around, self._learn = around, learn
        self._pool = one_thread()
        self._job: Background[KernelFound | NotKnown | None] = Background(around.background().later, self._pool)
        self._asked: tuple[Vmcoreinfo | None] | None = None
        """The text that was sent last; None before the first one."""
        self._running = False

    def judged(self, judgement: Judgement) -> None:
        """Begin with a state, once it is judged, if it has something new."""
        dump, text = judgement.document.dump, judgement.document.state.vmcoreinfo
        windows = any(note.is_windows for note in judgement.document.state.notes)
        source = judgement.document.source
        if self._running or windows or dump is None or not dump.guest_memory.size or not self._is_new(text):
            return
        self._asked, self._running = (text,), True
        guest = guest_of(dump)

        def job(budget: Budget) -> KernelFound | NotKnown | None:
            if isinstance(source, FileSource) and dump.guest_memory.size > _SMALL:
                return kernel_apart(source, text, budget.spend)
            return kernel_found(text, guest, lambda _what, _at, _total: budget.refill().spend())

        self._job.ask(job, self._done, self._failed, 0)

    def stop(self) -> None:
        """Stop all work."""
        self._job.stop()
        self._pool.shutdown(wait=False)

    def _is_new(self, text: Vmcoreinfo | None) -> bool:
        """Return whether nothing was looked up yet, or not all keys of a text."""
        if self._asked is None:
            return True
        facts = None if self.found is None else self.found.facts
        return text is not None and (text,) != self._asked and (facts is None or facts.lacks(text))

    def _done(self, found: KernelFound | NotKnown | None) -> None:
        self._running = False
        if isinstance(found, KernelFound):
            self.found = found
            self._learn(found)

    def _failed(self, error: Exception) -> None:
        self._running = False
        if not isinstance(error, Cancelled):
            self._around.failed(error)
