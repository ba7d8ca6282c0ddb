"""What is open: the source, the state that was read from it, and the states since.

A state is a frozen value; guest memory is not in it, since it is never edited. An edit
gives a new state, and undo is a step down the stack, so any sequence of edits undone
is the opened state.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, Self

from vmci_tui.common.safe_text import Safe
from vmci_tui.containers import Dump, Layout, Region
from vmci_tui.document.state import State
from vmci_tui.formats.fw_cfg_entry import LENGTH, EntryHistory
from vmci_tui.layers.file import BytesSource, FileSource, Source
from vmci_tui.layers.image import Image, NewBytes
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Ranges

if TYPE_CHECKING:
    from vmci_tui.document.edit import Edit


class UndoStep(NamedTuple):
    """An edit that was made, and the state that it led to."""

    edit: Edit
    state: State


@dataclass
class Document:
    """One opened file (and its blob), with undo and redo without limit."""

    name: Safe
    source: Source
    dump: Dump | None
    opened: State
    blob: Source | None = None
    blob_name: Safe | None = None
    read_only: bool = False
    """Another process has the file's lock: copies can be saved, the file itself cannot."""
    made: bool = False
    """Whether it was made from nothing: no file has its name."""
    saved: State | None = None
    """What was saved last, of the dump and of its entry; None where nothing was saved yet."""
    _steps: list[UndoStep] = field(default_factory=list)
    _at: int = 0
    _layouts: tuple[State, Layout] | None = None

    def close(self) -> None:
        """Let go of the files that are open, and of their locks."""
        for source in (self.source, self.blob):
            if isinstance(source, FileSource):
                source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def state(self) -> State:
        return self._steps[self._at - 1].state if self._at else self.opened

    @property
    def modified(self) -> bool:
        return self.state != self.opened

    @property
    def dump_unsaved(self) -> bool:
        return self.state.of_dump not in (self.opened.of_dump, self.saved and self.saved.of_dump)

    @property
    def entry_unsaved(self) -> bool:
        return self.state.entry not in (self.opened.entry, self.saved and self.saved.entry)

    @property
    def unsaved(self) -> bool:
        return self.dump_unsaved or self.entry_unsaved

    def mark_saved(self, entry: bool) -> None:
        """The dump, or its entry, was saved as it is in the state: they are two files."""
        last = self.saved or self.opened
        self.saved = replace(last, entry=self.state.entry) if entry else replace(self.state, entry=last.entry)

    def entry_alone(self) -> Document:
        """The entry that is open beside a dump, as a document of its own: it is saved as a blob."""
        alone = Document(
            self.blob_name or self.name, self.blob or BytesSource(b""), None, State(entry=self.opened.entry)
        )
        if self.state.entry is not None:
            from vmci_tui.document.edit import Edit
            from vmci_tui.document.edit_entry import set_entry

            alone.edit(Edit.of(set_entry, self.state.entry).named("; ".join(self.labels)))
        return alone

    @property
    def container(self) -> str:
        return self.dump.container if self.dump else "entry"

    def edit(self, edit: Edit) -> bool:
        """Make an edit; what was undone is forgotten. False where nothing changes.

        Raises EditError where it cannot be made, SaveError for a state that no file can hold:
        each that is reached can be shown. Then nothing is changed.
        """
        state = edit.apply(self.state)
        if state == self.state:
            return False
        if self.dump is not None and state.of_dump != self.opened.of_dump:
            self._layouts = state, self.dump.layout(state.of_dump)
        del self._steps[self._at :]
        self._steps.append(UndoStep(edit, state))
        self._at += 1
        return True

    def with_edit(self, edit: Edit) -> Document:
        """Another document of the same files, with one edit more: what would be, while it is being typed."""
        other = self.snapshot()
        other.edit(edit)
        return other

    def snapshot(self) -> Document:
        """The same files in the same state: what is done to this document from now on does not change it."""
        return replace(self, _steps=list(self._steps))

    def undo(self) -> Edit | None:
        """Step back; the edit that was undone, or None at the opened state."""
        if not self._at:
            return None
        self._at -= 1
        return self._steps[self._at].edit

    def redo(self) -> Edit | None:
        """Make the edit again that was undone last; None where there is none."""
        if self._at == len(self._steps):
            return None
        self._at += 1
        return self._steps[self._at - 1].edit

    @property
    def steps(self) -> tuple[UndoStep, ...]:
        """The edits that make up the state, oldest first, each with the state that it led to."""
        return tuple(self._steps[: self._at])

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(step.edit.label for step in self.steps)

    @property
    def layout(self) -> Layout:
        """The file as it is while nothing is edited, else as it would be saved."""
        if self.dump is None:
            return _entry_layout(self.state.entry)
        if self.state is self.opened or self.state.of_dump == self.opened.of_dump:
            return self.dump.current_layout
        return self.saved_layout

    @property
    def arranged(self) -> bool:
        """Whether `layout` is one that saving would write, and not the dump as it is."""
        return self.dump is not None and self.layout is not self.dump.current_layout

    @property
    def saved_layout(self) -> Layout:
        """The file as it would be saved. Raises SaveError where it cannot be."""
        if self.dump is None:
            return _entry_layout(self.state.entry)
        if self._layouts is None or self._layouts[0] is not self.state:
            self._layouts = self.state, self.dump.layout(self.state.of_dump)
        return self._layouts[1]

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the file as `layout` shows it."""
        layout = self.layout
        return layout.image.read(layout.base or self.source, offset, length)


def entry_document(name: Safe, history: EntryHistory, source: Source) -> Document:
    """A document that is only an entry; `source` is the blob (or what the writes left)."""
    return Document(name, source, None, State(entry=history))


def _entry_layout(history: EntryHistory | None) -> Layout:
    """An entry as a file: 16 bytes; a blob of another length shows the bytes it has."""
    raw = b""
    if history is not None:
        raw = history.raw
        last = history.writes[-1] if history.writes else None
        if history.origin == "blob" and last is not None and last.data is not None and last.length != LENGTH:
            raw = last.data
    image = Image((NewBytes(raw),) if raw else ())
    return Layout(image, (), (), lambda: Memory(Ranges()), (Region(0, len(raw), "entry", "entry"),) if raw else ())
