"""Declare the JSON of every command as types.

docs/json.md is made from them, and tests/cli/test_json.py checks the output of the commands against them. The second
item of `Annotated` is the description on the page.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict

from json_parts import (
    Accepts,
    Bits,
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


class ProofCounts(TypedDict):
    """How many lines have each verdict."""

    confirmed: int
    contradicted: int
    unknown: int


class KernelState(TypedDict):
    """What memory says of the kernel itself."""

    panic: Annotated[str | None, "what it logged when it panicked; null: it did not, or the log is not there"]
    taint: Annotated[int | None, "the variable tainted_mask; null: unknown"]
    flags: Annotated[str | None, "the letters of the taint, as the kernel prints them"]
    logged: Annotated[float | None, "seconds from boot to the last line of the log; null without one"]


class Check(FileSummary):
    """`vmci check FILE --json`. A file that cannot be opened (exit code 3) has `readers` alone, if one accepts it."""

    findings: NotRequired[list[Finding]]
    proof: Annotated[NotRequired[Proof | None], "null without a note"]
    kernel: Annotated[NotRequired[KernelState | None], "null without the kernel's tables"]
    counts: Annotated[NotRequired[ProofCounts | None], "of the note's lines; null without the kernel's tables"]
    readers: Annotated[dict[str, Verdict], "by name; those of --for, if it is given"]
    more_readers: Annotated[NotRequired[dict[str, Verdict]], "by name, with --all-readers"]
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


class Candidate(TypedDict):
    """A place in guest memory that looks like the note."""

    paddr: int
    offset: Annotated[int | None, "in the file; null if it is not contiguous there"]
    kind: Literal["note", "text"]
    length: int
    osrelease: str
    proved: Annotated[bool | None, "false: disproved; null: not provable"]
    why: str
    copies: Annotated[list[int], "paddrs of the same bytes"]
    found_by: Annotated[
        Literal["search", "kernel"], "`kernel`: by the pointers of the kernel that runs, without a search for others"
    ]


class Find(FileSummary):
    """`vmci find FILE --json`"""

    candidates: Annotated[list[Candidate], "best first"]


class LogRecord(TypedDict):
    """A record of the kernel's log."""

    sequence: Annotated[int | None, "null before Linux 5.10, and of a record that is not whole"]
    seconds: Annotated[float | None, "since boot"]
    level: Annotated[int | None, "0 (emerg) to 7 (debug)"]
    facility: Annotated[int | None, "0: the kernel itself"]
    text: str
    caller: Annotated[str | None, "T and a task's number, or C and a CPU's"]
    mark: Annotated[Literal["panic", "oops", "warning"] | None, "what the line reports"]
    problem: Annotated[str | None, "why the text is not whole"]


class Log(FileSummary):
    """`vmci log FILE --json`"""

    form: Literal["printk ring", "log_buf with records", "log_buf as text"]
    remarks: Annotated[list[str], "what is missing or doubtful"]
    log: Annotated[list[LogRecord], "the oldest first; with --level those alone"]


class CodePlace(TypedDict):
    """An address of code."""

    address: int
    symbol: Annotated[str | None, "null: unknown"]
    offset: Annotated[int | None, "bytes from the symbol"]


class CpuTask(TypedDict):
    """A task."""

    pid: Annotated[int, "0 for a CPU's idle task"]
    comm: str


class CpuRow(TypedDict):
    """A CPU."""

    cpu: Annotated[int, "from 0 on, in the order of the notes"]
    pid: Annotated[int, "of the running task where the kernel wrote the note, a number of the CPU where QEMU did"]
    pc: CodePlace | None
    stack: Annotated[
        list[CodePlace],
        "return addresses on its kernel stack, the last call first; some calls may have ended; empty without symbols",
    ]
    registers: Annotated[dict[str, int], "unsigned, by name: those of NT_PRSTATUS, and control registers"]
    where: Annotated[
        Literal["kernel", "process", "hypervisor", "firmware"] | None,
        "what ran; `firmware` also for a CPU that was not started; null: its registers do not say",
    ]
    task: Annotated[CpuTask | None, "what it ran; null where the kernel's tables and types do not show it"]
    state: Annotated[
        Literal["running", "idle", "stopped"] | None,
        "`idle`: it waits for an interrupt; `stopped`: it waits for good; null: the dump lacks its code",
    ]
    interrupts: Annotated[bool | None, "whether it takes interrupts; null: its registers do not say"]
    panicked: Annotated[bool | None, "true: it looks like the CPU that panicked; null: no CPU does"]


class Cpus(FileSummary):
    """`vmci cpus FILE --json`"""

    cpus: list[CpuRow]


class KernelInMemory(TypedDict):
    """A kernel whose symbol table is in guest memory."""

    banner: Annotated[str, "its own words about its version"]
    paddr: Annotated[int, "where its read-only data begins"]
    shift: Annotated[int | None, "virtual less physical addresses of its image; null: unknown"]
    form: Annotated[
        Literal["relative", "per-cpu", "self-relative", "absolute"],
        "how the table holds addresses: offsets from a base; the same, those in a CPU's area absolute; offsets from "
        "themselves; whole addresses",
    ]
    count: Annotated[int, "symbols"]
    why: Annotated[str | None, "what shows that it runs; null: nothing"]


class SymbolRow(TypedDict):
    """A symbol, or an address at or after one."""

    name: str
    type: Annotated[str, "one letter, as nm prints it"]
    address: Annotated[int, "of the symbol"]
    offset: Annotated[int, "bytes from the symbol to the address that was asked for; else 0"]
    paddr: Annotated[int | None, "of the address; null: outside the image, or `shift` is unknown"]


class LineProof(TypedDict):
    """A line of the note, and what the kernel's own tables say of it."""

    line: Annotated[int, "its number in the text, from 1"]
    key: str
    value: str
    verdict: Literal["confirmed", "contradicted", "unknown"]
    found: Annotated[str | None, "the right value, as the line would have it; null: unknown"]
    by: Annotated[str, "what in memory says so; empty: unknown"]
    why: Annotated[str, "why it is unknown; else empty"]


class Prove(FileSummary):
    """`vmci prove FILE --json`. The exit code is 1 where a line is contradicted.

    Where memory has no table of symbols it is 3, and nothing is printed.
    """

    remarks: Annotated[list[str], "which note was proved, if it is not the dump's own"]
    counts: ProofCounts
    lines: list[LineProof]


class Symbols(FileSummary):
    """`vmci symbols FILE [NAME|ADDRESS...] --json`. Without a table the exit code is 3 and nothing is printed."""

    kernel: KernelInMemory
    others: Annotated[list[KernelInMemory], "found before it"]
    symbols: Annotated[list[SymbolRow], "by address; in the order of names and addresses, where some are given"]


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


class CutPages(TypedDict):
    """What a cut holds."""

    pages: int
    bytes: Annotated[int, "of memory"]
    by: Annotated[dict[str, int], "pages by what they are kept for; a page may be kept for several things"]
    kept_text: Annotated[list[str], "every text of eight characters or more that stays inside, but those of the note"]


class Cut(TypedDict):
    """`vmci cut SOURCE -o OUT --json`"""

    file: str
    cut: CutPages
    remarks: Annotated[list[str], "what could not be kept, a sentence each"]
    before: Annotated[dict[str, bool | None], "whether each reader accepts the source, seen as a dump"]
    after: Annotated[dict[str, bool | None], "whether each reader accepts the cut"]
    versions: Annotated[dict[str, str], "the version of each reader whose rules judge"]
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
    """`vmci explain KEY[=VALUE] --json`"""

    decoded: list[Decoded]
    readers: Annotated[dict[str, KeyReading], "by name"]


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
        Cut,
        Undo,
        Unflatten,
        Diff,
        HexBytes,
        Explain,
    ),
    *(ExplainSearch, Ask, Craft, DefectRow, Lessons, Serve),
)
"""The JSON of each command, in the order of the page."""
