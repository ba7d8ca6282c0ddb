"""Declare the parts of the JSON in the objects of several commands, and the types of their values."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

Machine = Annotated[str | None, "as `x86_64`, `i386`, `aarch64`, `s390x`; null if the file names none"]
Bits = Annotated[Literal[32, 64] | None, "the file's, not the guest's"]
Order = Annotated[Literal["little", "big"] | None, "the file's"]
Offset = Annotated[int, "in the file, in bytes"]
PlainOffset = Annotated[
    int,
    "in the file, in bytes; of a flattened file in its plain form; of an image in the dump that `vmci convert` makes",
]
Accepts = Annotated[bool | None, "null: unknown"]
Installed = Annotated[
    dict[str, str | None] | None,
    "with `--reader installed` the version of each program on this machine, null for a missing one; else null",
]
Hex = Annotated[str, "bytes, two digits each"]


class EntryFields(TypedDict):
    """The 16 bytes of fw_cfg `etc/vmcoreinfo`."""

    host_format: Annotated[int | None, "null if the entry is derived and the value unknown; so in the other fields"]
    guest_format: int | None
    size: Annotated[int | None, "bytes of the region, as the guest wrote it"]
    paddr: Annotated[int | None, "guest-physical address of the note"]
    present: Annotated[bool | None, "whether QEMU treats the note as present; null if the entry is derived"]
    origin: Literal["blob", "derived", "writes", "stream", "vm"]


class WriteOutcome(TypedDict):
    """One write of the guest to the entry."""

    offset: int
    length: int
    bytes: Annotated[str | None, "two digits each; null if the source was not memory"]
    result: Literal["present", "not present", "DMA error", "ignored"]
    present: bool
    why: str


class NoteRow(TypedDict):
    """One ELF note."""

    index: Annotated[int, "from 0, in the order of the file"]
    name: str
    type: int
    offset: PlainOffset
    length: Annotated[int, "bytes, with header and padding"]
    desc_offset: PlainOffset
    desc_length: int


class Key(TypedDict):
    """One line KEY=VALUE of the text."""

    key: str
    value: str
    line: Annotated[int, "from 1"]
    offset: PlainOffset
    length: Annotated[int, "bytes, without the end of the line"]


class Text(TypedDict):
    """The vmcoreinfo text."""

    note: Annotated[int, "index of its note"]
    keys: list[Key]


class MemoryRange(TypedDict):
    """A range of guest memory."""

    paddr: int
    length: int
    offset: Annotated[
        int | None,
        "in the same file as those of notes; null if the file has no bytes for it, or stores them compressed",
    ]


class KdumpHeader(TypedDict):
    """The headers of a kdump-compressed file; offsets are in its plain form."""

    header_version: int
    bits: Literal[32, 64]
    padded: bool
    utsname: Annotated[dict[str, str], "sysname, nodename, release, version, machine, domainname"]
    status: int
    block_size: int
    max_mapnr: int
    nr_cpus: int
    phys_base: int
    dump_level: int
    split: bool
    start_pfn: int
    end_pfn: int
    offset_vmcoreinfo: int
    size_vmcoreinfo: int
    offset_note: int
    size_note: int
    offset_eraseinfo: int
    size_eraseinfo: int
    doubts: Annotated[list[str], "doubts about the file, a sentence each"]


class BlockRange(TypedDict):
    """A range of a running VM's memory."""

    paddr: int
    length: int
    block: Annotated[str, "the RAM block of QEMU that it is in"]
    offset: Annotated[int, "in the block"]


class Live(TypedDict):
    """A running VM, as it was asked."""

    qemu: Annotated[str, "its version"]
    running: Annotated[bool, "whether the guest ran when it was opened"]
    device: Annotated[bool, "whether it has a vmcoreinfo device"]
    map: list[BlockRange]
    stopped_ms: Annotated[
        float | None, "how long vmci's commands stopped the guest, by QEMU's events, which libvirt keeps"
    ]
    commands: Annotated[list[str], "all that was sent, in order; `vmci convert --dry-run` lists what can be sent"]


class StreamBlock(TypedDict):
    """A RAM block of QEMU in a migration stream."""

    name: str
    length: int
    paddr: Annotated[int | None, "where the guest has its first byte; null if it is not memory, or not known"]


class Stream(TypedDict):
    """A saved VM: a migration stream of QEMU."""

    at: Annotated[int, "offset of the stream in the file"]
    machine: Annotated[str, "QEMU's machine type, as `pc-q35-7.2`; empty if the stream does not say"]
    capabilities: Annotated[list[str], "migration capabilities, as far as the stream lists them"]
    blocks: list[StreamBlock]
    wrapped: Annotated[Literal["libvirt", "qcow2"] | None, "what the stream is in; null: a file of its own"]
    compression: Annotated[str | None, "of the whole stream, as `gzip`"]
    complete: Annotated[bool, "false: the stream is cut off or damaged; what comes before is shown"]
    cpus: Annotated[int, "whose state is in the stream"]


class FileSummary(TypedDict):
    """The file."""

    file: Annotated[str, "its name, as given"]
    size: Annotated[
        int,
        "bytes, of several files those of all; of a VM those of the dump that `vmci convert` makes, of writes and the "
        "state of devices those of the entry",
    ]
    container: Annotated[
        Literal["elf", "kdump", "flattened", "entry", "raw", "lime", "avml", "qmp", "qemu-stream"] | None,
        "`raw`: a flat memory image; `qmp`: a running VM; `qemu-stream`: a saved VM; null: vmci cannot open it",
    ]
    machine: Machine
    bits: Bits
    byte_order: Order
    live: Annotated[NotRequired[Live], "if it is a running VM"]
    stream: Annotated[NotRequired[Stream], "if it is a saved VM"]


class ByteRange(TypedDict):
    """A range of bytes."""

    offset: Offset
    length: int


class ReaderImpact(TypedDict):
    """What a finding means for one reader."""

    reader: str
    refuses: Annotated[bool, "false: it continues, with a complaint or another value"]
    says: Annotated[str, "the program's own words; may be empty"]
    why: str


class Finding(TypedDict):
    """A finding; [findings.md](findings.md) lists the codes."""

    code: str
    severity: Literal["error", "warning", "info"]
    message: str
    why: str
    span: Annotated[ByteRange | None, "the bytes concerned"]
    fix: Annotated[str | None, "label of the fix; null if there is none"]
    readers: list[ReaderImpact]


class Correction(TypedDict):
    """A corrected value, proved by memory."""

    key: str
    value: str
    why: str


class Proof(TypedDict):
    """Whether memory proves the text."""

    proved: Annotated[bool | None, "false: disproved; null: not provable"]
    why: str
    corrections: list[Correction]


class VersionVerdict(TypedDict):
    """What a program makes of the file from one version up to the next in the list."""

    since: Annotated[str, "the first version; in the first item the oldest that is known"]
    accepts: Accepts


class Verdict(TypedDict):
    """What one reader makes of the file."""

    accepts: Accepts
    reads: Annotated[bool | None, "whether it can then read kernel memory; null: it reads none, or unknown"]
    says: Annotated[str, "the program's own words; where `accepts` is null, why"]
    osrelease: Annotated[str | None, "the release that it prints"]
    stage: Annotated[Literal["before", "note", "after"] | None, "where it refuses: before, at or after the note"]
    version: Annotated[str, "the version whose rules judge"]
    remark: Annotated[str | None, "`checked up to VERSION` if the rules were not checked with this version"]
    by_version: Annotated[list[VersionVerdict], "oldest first; empty if all known versions agree"]


class NextCommand(TypedDict):
    """A command to run next."""

    reader: Annotated[str, "the program"]
    command: Annotated[str, "ready for the shell"]
    why: str


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
        Literal["search", "kernel", "entry"],
        "`kernel`: by the pointers of the kernel that runs, `entry`: by the entry; without a search for others",
    ]


class ProofCounts(TypedDict):
    """How many lines have each verdict."""

    confirmed: int
    contradicted: int
    unknown: int
