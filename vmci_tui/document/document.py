"""Hold what is open: the source, the state that was read from it, and the states since.

A state is a frozen value without guest memory, which is never edited. An edit makes a new
state, and undo goes one step down the stack: undoing all edits gives the opened state.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, Self

from vmci_tui.common.errors import EditError
from vmci_tui.common.safe_text import Safe
from vmci_tui.containers import Dump, Layout, Region
from vmci_tui.containers.base import disjoint
from vmci_tui.containers.elf.dump import ElfDump
from vmci_tui.document.state import State
from vmci_tui.formats.fw_cfg_entry import FIELDS, LENGTH, EntryHistory
from vmci_tui.layers.file import BytesSource, FileSource, Source, files_of
from vmci_tui.layers.image import Image, NewBytes
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Ranges

if TYPE_CHECKING:
    from vmci_tui.document.edit import Edit


class UndoStep(NamedTuple):
    """An edit, and the state that it made."""

    edit: Edit
    state: State


class Closable(Protocol):
    """Something open under a document."""

    def close(self) -> None: ...


_IMAGES: Final = {
    "qemu-stream": "QEMU stream", "lime": "LiME image", "avml": "AVML image", "raw": "raw image", "qmp": "running VM",
}  # fmt: skip
"""What memory images and VMs are called."""


class OpenedAs(NamedTuple):
    """What the user named to open a file: the name, and what an image does not say itself."""

    name: str
    map: str | None = None
    """The copy of /proc/iomem of a raw image."""
    snapshot: str | None = None
    """The snapshot of a disk."""
    stop: bool = True
    """Whether a running machine may be stopped for about a millisecond."""
    blocks: tuple[str, ...] = ()
    """The RAM blocks of a stream, in the order of their addresses."""

    @property
    def is_plain(self) -> bool:
        """Whether the name alone is enough."""
        return (self.map, self.snapshot, self.stop, self.blocks) == (None, None, True, ())


class Document:
    """One opened file (and its blob), with undo and redo without limit."""

    def __init__(
        self,
        name: Safe,
        source: Source,
        dump: Dump | None,
        opened: State,
        blob: Source | None = None,
        blob_name: Safe | None = None,
        made: bool = False,
    ) -> None:
        self.name, self.source, self.dump, self.opened = name, source, dump, opened
        self.blob, self.blob_name = blob, blob_name
        self.files: tuple[Closable, ...] = ()
        """What is under `source`, where it is not the file itself: a memory image's file, or a VM."""
        self.opened_as: OpenedAs | None = None
        """How it can be opened again; None if no file has its name."""
        self.made = made
        """Whether it was made from nothing, and no file has its name."""
        self.read_only = False
        """Another process has the file's lock: copies can be saved, the file itself cannot."""
        self.saved: State | None = None
        """The last saved state of the dump and of its entry; None if nothing was saved yet."""
        self._steps: list[UndoStep] = []
        self._at = 0
        self._layouts: tuple[State, Layout] | None = None
        self._base_layout: Layout | None = None

    def close(self) -> None:
        """Close the files and release their locks."""
        for source in (self.source, self.blob):
            if isinstance(source, FileSource):
                source.close()
        for file in self.files:
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_image(self) -> bool:
        """Whether it is a memory image, shown as a dump: it is never changed itself."""
        return self.dump is not None and self.opened_as is not None and not isinstance(self.source, FileSource)

    @property
    def size(self) -> int:
        """Bytes of the file, or of all files of a memory image; of a running VM those of the dump made of it."""
        return sum(file.size for file in files_of(self.source)) or self.source.size

    @property
    def runs(self) -> bool:
        """Whether it is a running VM: it is neither changed nor searched; `vmci convert` makes a dump of it."""
        return isinstance(self.dump, ElfDump) and self.dump.runs

    @property
    def path(self) -> str | None:
        """The path of the open file, or what names a memory image; None for a new entry."""
        if isinstance(self.source, FileSource):
            return self.source.path
        return self.opened_as.name if self.is_image and self.opened_as is not None else None

    @property
    def state(self) -> State:
        return self._steps[self._at - 1].state if self._at else self.opened

    @property
    def modified(self) -> bool:
        return self.state != self.opened

    @property
    def base(self) -> State:
        """The state that a file has: the last saved one, else the opened one."""
        return self.saved or self.opened

    @property
    def base_layout(self) -> Layout:
        """The layout of `base`."""
        if self._base_layout is not None:
            return self._base_layout
        return _entry_layout(self.opened.entry) if self.dump is None else self.dump.current_layout

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
        """Remember that the current dump, or its entry, was saved: they are two files."""
        last = self.base
        self.saved = replace(last, entry=self.state.entry) if entry else replace(self.state, entry=last.entry)
        self._base_layout = self._base_layout if entry else self.layout

    def entry_alone(self) -> Document:
        """Return the entry that is open beside a dump, as a document of its own: it is saved as a blob."""
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

    @property
    def container_title(self) -> str:
        """The container as people call it; there are two kinds of flattened files."""
        flat_elf = self.dump is not None and self.dump.flat is not None and self.dump.kind == "elf"
        return "FLATTENED ELF" if flat_elf else _IMAGES.get(self.container, self.container.upper())

    def edit(self, edit: Edit) -> bool:
        """Make an edit and forget undone ones; return False if nothing changes.

        Raises EditError if it cannot be made, and SaveError for a state that no file can hold,
        so that each state can be shown. After an error nothing is changed.
        """
        if self.runs:
            raise EditError(f"{self.name} runs, and is not changed", "vmci convert makes a dump of it")
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
        """Return a copy of the document with one more edit, to show the result while the edit is typed."""
        other = self.snapshot()
        other.edit(edit)
        return other

    def snapshot(self) -> Document:
        """Return a copy with the same files and state, which later edits of this document do not change."""
        same = copy(self)
        same._steps = list(self._steps)
        return same

    def undo(self) -> Edit | None:
        """Undo the last edit and return it; None at the opened state."""
        if not self._at:
            return None
        self._at -= 1
        return self._steps[self._at].edit

    def redo(self) -> Edit | None:
        """Redo the edit that was undone last and return it; None if there is none."""
        if self._at == len(self._steps):
            return None
        self._at += 1
        return self._steps[self._at - 1].edit

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to undo."""
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone edit to redo."""
        return self._at < len(self._steps)

    @property
    def steps(self) -> tuple[UndoStep, ...]:
        """The edits since opening, oldest first, each with the state that it made."""
        return tuple(self._steps[: self._at])

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(step.edit.label for step in self.steps)

    @property
    def layout(self) -> Layout:
        """The file's current layout while nothing is edited, else the layout that would be saved."""
        if self.dump is None:
            return _entry_layout(self.state.entry)
        if self.state is self.opened or self.state.of_dump == self.opened.of_dump:
            return self.dump.current_layout
        return self.saved_layout

    @property
    def arranged(self) -> bool:
        """Whether `layout` is the one that saving would write, not the dump's current one."""
        return self.dump is not None and self.layout is not self.dump.current_layout

    @property
    def saved_layout(self) -> Layout:
        """The layout that would be saved. Raises SaveError if no file can hold the state."""
        if self.dump is None:
            return _entry_layout(self.state.entry)
        if self._layouts is None or self._layouts[0] is not self.state:
            self._layouts = self.state, self.dump.layout(self.state.of_dump)
        return self._layouts[1]

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes at `offset` of `layout`."""
        return self.read_of(self.layout, offset, length)

    def read_of(self, layout: Layout, offset: int, length: int) -> bytes:
        """Return `length` bytes at `offset` of a layout of this document."""
        return layout.image.read(layout.base or self.source, offset, length)


def entry_document(name: Safe, history: EntryHistory, source: Source) -> Document:
    """Return a document of an entry alone; `source` is the blob, or the bytes that the writes left."""
    return Document(name, source, None, State(entry=history))


def _entry_layout(history: EntryHistory | None) -> Layout:
    """Return the layout of an entry's file: 16 bytes, or all bytes of a blob of another length."""
    raw = b""
    if history is not None:
        raw = history.raw
        last = history.writes[-1] if history.writes else None
        if history.origin == "blob" and last is not None and last.data is not None and last.length != LENGTH:
            raw = last.data
    image = Image((NewBytes(raw),) if raw else ())
    entry = Region(0, LENGTH, "entry", "entry", FIELDS)
    parts = [entry, Region(LENGTH, len(raw), "gap", "beyond the entry's 16 bytes")]
    return Layout(image, (), (), lambda: Memory(Ranges()), disjoint(parts, len(raw)))
