"""Declare the JSON of every command as types.

docs/json.md is made from them, and tests/cli/test_json.py checks the output of the commands against them. The second
item of `Annotated` is the description on the page.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict

from json_changes import Convert, Cut, Repair, Save, Undo, Unflatten, VmPlan
from json_kernel import CodePlace, Cpus, KeyProof, Log, PointerRow, Prove, Symbols
from json_parts import (
    Bits,
    Candidate,
    EntryFields,
    FileSummary,
    Finding,
    Hex,
    Installed,
    KdumpHeader,
    Machine,
    MemoryRange,
    NextCommand,
    NoteRow,
    Order,
    Proof,
    ProofCounts,
    Text,
    Verdict,
    WriteOutcome,
)


class Show(FileSummary):
    """`vmci show FILE --json`"""

    entry: EntryFields | None
    writes: Annotated[NotRequired[list[WriteOutcome]], "if the entry is a list of writes"]
    kdump: Annotated[NotRequired[KdumpHeader], "if the dump is a kdump file"]
    notes: Annotated[NotRequired[list[NoteRow]], "if the file is a dump, as the keys below"]
    vmcoreinfo: NotRequired[Text | None]
    windows: Annotated[NotRequired[dict[str, Any] | None], "the fields of a Windows dump header in the note"]
    memory: Annotated[NotRequired[list[MemoryRange]], "merged, disjoint, sorted"]
    kernel: Annotated[NotRequired[ShownKernel | None], "with --kernel; null: memory has neither tables nor a log"]


class KernelState(TypedDict):
    """What memory says of the kernel itself."""

    panic: Annotated[str | None, "what it logged when it panicked; null: it did not, or the log is not there"]
    taint: Annotated[int | None, "the variable tainted_mask; null: unknown"]
    flags: Annotated[str | None, "the letters of the taint, as the kernel prints them"]
    logged: Annotated[float | None, "seconds from boot to the last line of the log; null without one"]
    uptime: Annotated[float | None, "seconds from boot, by the kernel's own clock; null: memory does not show it"]


class ShownKernel(KernelState):
    """The kernel in a dump's memory."""

    release: str | None


class Check(FileSummary):
    """`vmci check FILE --json`. A file that cannot be opened (exit code 3) has `readers` alone, if one accepts it."""

    findings: NotRequired[list[Finding]]
    proof: Annotated[NotRequired[Proof | None], "null without a note"]
    kernel: Annotated[NotRequired[KernelState | None], "null without the kernel's tables"]
    counts: Annotated[NotRequired[ProofCounts | None], "of the note's lines; null without the kernel's tables"]
    readers: Annotated[dict[str, Verdict], "by name; those of --for, if it is given"]
    more_readers: Annotated[NotRequired[dict[str, Verdict]], "by name, with --all-readers; empty for a VM"]
    installed: Annotated[NotRequired[Installed], "of several files in the object around them"]
    next: NotRequired[list[NextCommand]]


class CheckedFile(TypedDict):
    """One file of several."""

    file: str
    exit_code: Annotated[Literal[0, 1, 3], "as if this file were checked alone"]
    words: Annotated[str, "the verdict, or why the file cannot be opened"]
    check: Annotated[Check | None, "without `installed`; null if the file cannot be opened"]


class CheckSeveral(TypedDict):
    """`vmci check FILE FILE ... --json`"""

    files: list[CheckedFile]
    installed: Installed


class Find(FileSummary):
    """`vmci find FILE --json`"""

    candidates: Annotated[list[Candidate], "best first"]


class KeyChange(TypedDict):
    """A key that differs."""

    key: str
    a: str | None
    b: str | None
    change: Literal["added", "gone", "changed"]
    means: str


class Diff(TypedDict):
    """`vmci diff A B --json`"""

    a: Annotated[str, "name of the first"]
    b: str
    same: Annotated[bool, "whether all bytes are equal"]
    summary: Annotated[list[str], "what the change means, a sentence each"]
    keys: list[KeyChange]


class HexBytes(TypedDict):
    """`vmci hex FILE --json`"""

    file: str
    offset: Annotated[int | None, "in the file; null if the page is compressed"]
    length: int
    hex: Hex
    paddr: Annotated[NotRequired[int], "with --paddr and --vaddr, as the next two"]
    place: Annotated[NotRequired[CodePlace | None], "its virtual address and symbol; null: outside the kernel's image"]
    pointers: Annotated[NotRequired[list[PointerRow]], "the words that are addresses of the kernel's image"]


class Decoded(TypedDict):
    """Another representation of a value."""

    label: str
    shown: str
    problem: Annotated[bool, "Linux does not write such a value"]


class KeyReading(TypedDict):
    """How one reader parses the key; the last three keys are there if a value was given."""

    version: str
    how: str
    since: Annotated[str | None, "the first version that uses the key; null if all known ones do"]
    shown: NotRequired[str]
    number: NotRequired[int | None]
    problem: NotRequired[str | None]


class KeyEntry(TypedDict):
    """What is known of a key."""

    key: str
    form: Annotated[str, "as `OFFSET(STRUCT.MEMBER)`"]
    known: Annotated[bool, "false: only its form is known"]
    what: str
    written: Annotated[str, "the line, as a printf format"]
    base: Annotated[int, "10 or 16; 0: not a number"]
    unit: str
    since: Annotated[str | None, "version of Linux"]
    gone_in: str | None
    machines: Annotated[list[str], "the machines that write it; empty: all"]
    when: Annotated[str | None, "the kernel configuration that it needs"]
    formulas: Annotated[dict[str, str], "by machine, or `all`"]
    note: str | None
    breaks: Annotated[dict[str, str], "by reader: what a wrong or missing value does"]
    see: list[str]


class Explain(KeyEntry):
    """`vmci explain KEY[=VALUE] [FILE] --json`"""

    decoded: list[Decoded]
    readers: Annotated[dict[str, KeyReading], "by name"]
    memory: Annotated[NotRequired[KeyProof], "with FILE: what its memory says of the value, else of the note's own"]


class ExplainAddress(TypedDict):
    """`vmci explain ADDRESS FILE --json`"""

    file: str
    place: CodePlace
    type: Annotated[str | None, "of the symbol, one letter, as nm prints it"]
    paddr: Annotated[int | None, "null: no page table in the dump maps it"]
    file_offset: Annotated[int | None, "null if the page is compressed"]
    pointer: Annotated[CodePlace | None, "what is pointed at there; null: not an address of the kernel's image"]


class ExplainSearch(TypedDict):
    """`vmci explain --search WORD --json`"""

    search: str
    keys: list[KeyEntry]


class QemuOutput(TypedDict):
    """What QEMU does, as predicted or observed."""

    warnings: list[str]
    appended_length: int
    appended: Annotated[str | None, "the note, two digits a byte"]
    phys_base: Annotated[str, "0x..."]
    entry: Hex


class Ask(TypedDict):
    """`vmci ask BLOB NOTE --json`"""

    entry: str
    note: str
    target: str
    program: str
    version: str
    rules: Annotated[str, "the version whose rules the prediction follows"]
    machine: Machine
    bits: Bits
    byte_order: Order
    kept: Annotated[bool, "whether the guest's memory has the whole note, or QEMU ignores it"]
    predicted: QemuOutput
    seen: QemuOutput
    differences: Annotated[list[str], "keys of the two that differ"]


class DefectMade(TypedDict):
    """A defect that was made."""

    code: str
    name: str
    does: str


class CraftedFiles(TypedDict):
    """Names of the files."""

    dump: str
    entry: str | None
    note: str | None
    manifest: str


class Craft(TypedDict):
    """`vmci craft --json`; the manifest file holds the same, without `schema`"""

    version: Annotated[str, "of vmci"]
    machine: str
    bits: Literal[32, 64]
    container: str
    byte_order: Literal["little", "big"]
    defects: list[DefectMade]
    files: CraftedFiles
    made_with: Annotated[str, "the command"]
    check: Annotated[str, "the command that checks it"]
    findings: list[Finding]
    readers: dict[str, Verdict]


class DefectRow(TypedDict):
    """`vmci craft --list --json` prints a list of these, and no `schema`"""

    code: str
    name: str
    does: str
    machines: list[str]
    beside: Annotated[list[str], "codes of findings that come with it"]


class LessonStep(TypedDict):
    """One step."""

    text: str
    press: Annotated[list[str], "keys, or `type TEXT`"]


class Lesson(TypedDict):
    """A lesson."""

    name: str
    title: str
    story: str
    files: list[str]
    steps: list[LessonStep]


class Lessons(TypedDict):
    """`vmci lessons [NAME] --json`"""

    lessons: list[Lesson]


class Serve(TypedDict):
    """`vmci serve --json`; it keeps serving"""

    url: str


COMMANDS: Final = (
    *(
        Show,
        Check,
        CheckSeveral,
        Find,
        Log,
        Cpus,
        Symbols,
        Prove,
        Save,
        Repair,
        Convert,
        VmPlan,
        Cut,
        Undo,
        Unflatten,
        Diff,
        HexBytes,
        Explain,
    ),
    *(ExplainAddress, ExplainSearch, Ask, Craft, DefectRow, Lessons, Serve),
)
"""The JSON of each command, in the order of the page."""
