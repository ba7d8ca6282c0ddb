"""Declare the JSON about what a kernel left in memory: its log, CPUs, symbols, and the proof of each line."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from json_parts import FileSummary, ProofCounts


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
    """An address of the kernel."""

    address: int
    symbol: Annotated[str | None, "null: unknown; empty: in a module, after none of its symbols"]
    offset: Annotated[int | None, "bytes from the symbol, or from the start of the module's part"]
    module: Annotated[str | None, "null: the kernel's image, or unknown"]


class PointerRow(CodePlace):
    """A word of memory that is an address of the kernel's image."""

    at: Annotated[int, "where the word is: a paddr, with --vaddr a virtual address"]


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
        "`idle`: it waits for an interrupt; `stopped`: it waits for good; null: neither its code nor a saved VM's "
        "state of it says so",
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
    module: Annotated[str | None, "the module that has it; null: the kernel's image"]


class KeyProof(TypedDict):
    """What the kernel's own tables say of a value of a key."""

    verdict: Literal["confirmed", "contradicted", "unknown"]
    found: Annotated[str | None, "the right value, as the line would have it; null: unknown"]
    by: Annotated[str, "what in memory says so; empty: unknown"]
    why: Annotated[str, "why it is unknown; else empty"]


class LineProof(KeyProof):
    """A line of the note, and what the kernel's own tables say of it."""

    line: Annotated[int, "its number in the text, from 1"]
    key: str
    value: str


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
    others: Annotated[list[KernelInMemory], "found before it, or in the first 256 MiB of memory that is not compressed"]
    symbols: Annotated[list[SymbolRow], "by address; in the order of names and addresses, where some are given"]
