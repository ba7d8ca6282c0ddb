"""Declare the JSON of the commands that write a file."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from json_parts import Accepts, Candidate, EntryFields, Hex, Installed, Live, Machine, NextCommand, Proof


class PlanStep(TypedDict):
    """One range of the target."""

    do: str
    offset: int
    length: int
    why: str


class Plan(TypedDict):
    """How a file is saved."""

    way: Literal["overwrite", "lift", "copy", "append", "none"]
    bytes_written: int
    steps: list[PlanStep]


class LostReader(TypedDict):
    """A reader that would refuse the result, or read no memory by it."""

    reader: str
    accepts: Accepts
    says: str


class Save(TypedDict):
    """`vmci set`, `append`, `strip`, `new entry` with --json. With --dry-run, and if `worse` holds an item to which
    --yes did not agree (exit code 1), nothing was written."""

    file: str
    plan: Plan
    choice: Annotated[str, "why this way"]
    worse: list[LostReader]
    taken_out: Annotated[list[str], "parts that the saved file lacks, a sentence each"]
    made: Annotated[NotRequired[MadeNote], "with `append --from-kernel`"]


class MadeLine(TypedDict):
    """A line of a note that no kernel wrote."""

    key: str
    value: str
    by: Annotated[str, "what in memory shows it"]


class LeftOutLine(TypedDict):
    """A line that this kernel writes or may write, and that memory does not show."""

    key: str
    why: str


class MadeNote(TypedDict):
    """A note made from the tables of the kernel in memory."""

    release: str
    lines: list[MadeLine]
    left_out: list[LeftOutLine]
    proof: Proof


class RepairStep(TypedDict):
    """One fix."""

    code: str
    label: str


class Repaired(TypedDict):
    """What was repaired."""

    steps: list[RepairStep]
    question: Annotated[str | None, "what the user must decide; then nothing was written"]
    left: Annotated[list[str], "remaining errors, a sentence each"]
    proof: Proof | None


class Repair(TypedDict):
    """`vmci repair FILE --json`"""

    file: str
    plan: Annotated[Plan | None, "null if there is a question: then the next three keys and `next` are missing"]
    choice: NotRequired[str]
    worse: NotRequired[list[LostReader]]
    taken_out: NotRequired[list[str]]
    repair: Repaired
    candidates: list[Candidate]
    before: Annotated[dict[str, bool | None], "whether each reader accepts the file"]
    after: Annotated[dict[str, bool | None], "whether each reader accepts the repaired one"]
    versions: Annotated[dict[str, str], "the version of each reader whose rules judge"]
    installed: Installed
    next: NotRequired[list[NextCommand]]
    made: Annotated[NotRequired[MadeNote], "that can be made from the kernel's tables, or with `--yes kernel` was"]


class OverwrittenBytes(TypedDict):
    """Bytes that `undo --force` overwrites."""

    offset: int
    now: Hex
    then: Annotated[str, "two digits a byte; empty past the end"]


class Undo(TypedDict):
    """`vmci undo FILE --json`"""

    file: str
    size: Annotated[int | None, "bytes, afterwards; null with --dry-run"]
    overwrites: Annotated[NotRequired[list[OverwrittenBytes]], "with --force"]


class MissingRange(TypedDict):
    """Memory that the source is known to lack."""

    paddr: int
    length: int


class WrittenFile(TypedDict):
    """The file that was written."""

    file: str
    size: int


class Convert(TypedDict):
    """`vmci convert SOURCE -o OUT --json`"""

    file: str
    container: str
    machine: Machine
    live: Annotated[NotRequired[Live], "if it is a running VM"]
    entry: Annotated[EntryFields | None, "as the image has it"]
    doubts: Annotated[list[str], "what is odd, or was assumed; a sentence each"]
    missing: Annotated[str | None, "what memory the source lacks, a sentence"]
    unread: Annotated[list[MissingRange], "the ranges that it lacks, where they are known"]
    witnessed: Annotated[list[int], "indices of the ranges of memory that the proof of the note is about"]
    repair: Repaired
    candidates: list[Candidate]
    before: Annotated[dict[str, bool | None], "whether each reader accepts the source, seen as a dump"]
    after: Annotated[dict[str, bool | None], "whether each reader accepts the written dump"]
    versions: Annotated[dict[str, str], "the version of each reader whose rules judge"]
    installed: Installed
    plan: Plan
    written: Annotated[WrittenFile | None, "null with `--dry-run`"]


class SendableCommand(TypedDict):
    """A command that vmci can send to a running VM."""

    command: str
    reason: str
    stops: Annotated[str | None, "for how long it stops the guest; null: not at all"]


class VmPlan(TypedDict):
    """`vmci convert qmp:SOCKET --dry-run --json`; it stops nothing"""

    file: str
    live: Live
    plan: Annotated[None, "QEMU plans it"]
    seconds: Annotated[float, "about how long the guest would stand still"]
    sent: Annotated[list[SendableCommand], "all that can be sent, by any command of vmci"]


class CutPages(TypedDict):
    """What a cut holds."""

    pages: int
    bytes: Annotated[int, "of memory"]
    by: Annotated[dict[str, int], "pages by what they are kept for; a page may be kept for several things"]
    kept_text: Annotated[list[str], "texts of eight characters or more that stay in memory and notes, but the note's"]


class Cut(TypedDict):
    """`vmci cut SOURCE -o OUT --json`"""

    file: str
    live: Annotated[NotRequired[Live], "if it is a running VM"]
    cut: CutPages
    remarks: Annotated[list[str], "what could not be kept, and what is odd; a sentence each"]
    before: Annotated[dict[str, bool | None], "whether each reader accepts the source, seen as a dump"]
    after: Annotated[dict[str, bool | None], "whether each reader accepts the cut"]
    versions: Annotated[dict[str, str], "the version of each reader whose rules judge"]
    installed: Installed
    plan: Plan
    written: Annotated[WrittenFile | None, "null with `--dry-run`"]


class UnflattenPlan(TypedDict):
    """A plan without steps."""

    way: Literal["copy"]
    bytes_written: int
    steps: Annotated[list[PlanStep], "empty"]


class Unflatten(TypedDict):
    """`vmci unflatten FILE -o OUT --json`"""

    file: str
    size: Annotated[int, "bytes of the plain file"]
    faults: Annotated[list[str], "damage found, a sentence each"]
    plan: UnflattenPlan
    worse: list[LostReader]
    taken_out: list[str]
