"""The findings about guest memory, and about what it says of the note."""

from typing import Final

from vmci_tui.findings.catalogue.finding_type import FindingType

# fmt: off
ROWS: Final = (
    FindingType("M01", "warning", "memory",
        what="the dump holds no guest memory",
        why="only its notes can be read; no reader can inspect the kernel",
        example="a dump made with length 0",
        cure="dump again",
        craft={"no-memory": ("C16",)}),
    FindingType("M02", "warning", "memory",
        what="two program headers give different bytes for one paddr",
        why="readers differ in which of them they use",
        example="two PT_LOADs that overlap",
        cure="none is safe",
        craft={"overlap": ()}),
    FindingType("M03", "warning", "memory",
        what="the text does not match the memory",
        why="libkdumpfile looks for the name of the system at SYMBOL(init_uts_ns), and finds other bytes there",
        example="NUMBER(phys_base) of another boot",
        cure="append the note that belongs to this guest",
        group="memory", craft={"no-name": ("M05",)}),
    FindingType("M04", "warning", "memory",
        what="memory that a reader needs is missing",
        why="it follows pointers from the note into guest memory, and fails if the dump does not hold it",
        example="a dump of one page",
        cure="dump all memory again",
        group="memory", craft={"half-a-page": ()}),
    FindingType("M05", "error", "memory",
        what="memory contradicts the note",
        why=(
            "the text is from another kernel or another boot, or is forged: readers accept it, and then read the wrong "
            "memory"
        ),
        example="NUMBER(phys_base) of another boot",
        cure="`vmci repair` restores the right note from memory, or sets the value that matches",
        cure_of_image="`vmci convert` makes a dump with the right note from memory, or sets the value that matches",
        adopt=True, foreign_note=True, craft={"other-release": ()}),
    FindingType("M06", "info", "memory",
        what="memory cannot confirm the note",
        why=(
            "the memory that could prove it is not in the dump, or the text does not give its address; the note may be "
            "from another guest"
        ),
        example="a window of memory",
        cure="`vmci repair` searches memory for a note that can be proved",
        cure_of_image="`vmci convert` makes a dump, and searches its memory for a note that can be proved",
        adopt=True, craft={"no-tables": ()}),
    FindingType("M07", "warning", "memory",
        what="phys_base in the kdump header is not what the note says",
        why=(
            "QEMU reads the decimal number as hexadecimal; makedumpfile trusts the header when it filters the file "
            "again"
        ),
        example="0x436207616 for NUMBER(phys_base)=436207616",
        cure="set it to the value of the note",
        safe="always", craft={"phys-base-in-header": ("T16",)}),
    FindingType("M08", "warning", "memory",
        what="the note is not from the running kernel",
        why="after kexec or a crash memory holds two kernels; readers show the kernel that the note describes",
        example="the note of the kernel before kexec",
        cure="choose one of the candidates: F in the app, `vmci find`",
        craft={"two-kernels": ()}),
    FindingType("M10", "info", "memory",
        what="memory is in the file twice, with the same bytes",
        why="the kernel maps its own image twice, so /proc/kcore and /proc/vmcore show it twice: nothing is wrong",
        example="a copy of /proc/vmcore",
        cure="none is needed",
        craft={"twice": ()}),
    FindingType("M11", "warning", "memory",
        what="the program headers give no physical addresses",
        why=(
            "/proc/kcore before Linux 4.11 writes p_paddr 0 for all of memory: readers find memory only by virtual "
            "addresses, and a search by paddr is impossible"
        ),
        example="a copy of /proc/kcore of an old kernel",
        cure="copy /proc/vmcore instead, or dump the machine again",
        craft={"no-paddrs": ("M06",)}),
    FindingType("M12", "info", "memory",
        what="the dump is from a Xen dom0: it has the hypervisor's text and the kernel's",
        why="both notes are legal; makedumpfile reads the hypervisor's memory first",
        example="a VMCOREINFO_XEN note and a VMCOREINFO note",
        cure="none is needed",
        craft={"xen-note": ()}),
    FindingType("M13", "error", "line",
        what="memory contradicts a line of the note",
        why=(
            "the kernel's own tables in memory (symbols, types, variables) have another value: readers accept the "
            "line, and then read the wrong memory"
        ),
        example="OFFSET(page.lru)=16 where the kernel's types have 8",
        cure="f sets the value that memory has; `vmci repair` does so where memory confirms all else of the note",
        cure_of_image=(
            "`vmci convert` makes a dump with the value that memory has, where that confirms all else of the note"
        ),
        safe="proved", craft={}),
)
# fmt: on
