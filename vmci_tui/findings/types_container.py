"""The kinds of findings about the container (C) and about memory (M)."""

from __future__ import annotations

from vmci_tui.findings.finding_type import Kind

CONTAINER_KINDS: dict[str, Kind] = {
    # C: the container
    "C01": Kind(
        "error", "the file's class is not the machine's", "no dump of this machine fits into a 32-bit file",
        "ELF32 with e_machine x86-64", "dump again",
    ),
    "C02": Kind(
        "error", "the file is cut off",
        "readers fail, or read zeros, where the bytes are missing; copy the dump again, whole",
        "a copy that ran out of disk", "copy the dump again",
    ),
    "C03": Kind(
        "warning", "the file has not exactly one PT_NOTE program header",
        "readers want exactly one, as the first program header; saving makes it so",
        "two PT_NOTEs, the VMCOREINFO note in the second", "put the head in order",
    ),
    "C04": Kind(
        "warning", "e_type is not ET_CORE", "some readers look at it before anything else",
        "e_type 0xfe00", "dump again",
    ),
    "C05": Kind(
        "warning", "e_phentsize is not the length of a program header",
        "readers differ in which of the two they follow; saving writes the right one",
        "e_phentsize 0", "put the head in order",
    ),
    "C06": Kind(
        "warning", "the program headers do not stand right behind the ELF header",
        "QEMU 7.2 and later put section headers first; some readers look for program headers at one place only",
        "e_phoff 192, as QEMU 7.2 writes it", "put the head in order",
    ),
    "C07": Kind(
        "warning", "section headers hide the notes, or are refused",
        "a dump needs none; a reader that finds section headers looks for notes there and nowhere else",
        "the two section headers that QEMU 7.2 writes", "put the head in order",
    ),
    "C08": Kind(
        "warning", "PT_NOTE is not the first program header", "some readers look at the first one only",
        "a PT_LOAD before PT_NOTE", "put the head in order",
    ),
    "C09": Kind(
        "warning", "the notes lie behind memory", "some readers look for them in the file's head only",
        "a note appended at the end of the file", "put the head in order",
    ),
    "C10": Kind(
        "warning", "p_align misleads a reader",
        "notes are padded to 4 bytes; with another alignment in the headers readers look for them elsewhere, "
        "or take the file for another kind of dump",
        "p_align 8", "put the head in order",
    ),
    "C11": Kind(
        "warning", "there are too many program headers for a reader",
        "a dump made with paging=true names the same memory up to 65,000 times, by its virtual addresses",
        "dump-guest-memory with paging true", "merge the program headers; gdb loses the virtual addresses",
    ),
    "C12": Kind(
        "info", "the reader is built for another machine",
        "crash and makedumpfile read the machine that they were built for; that alone is no fault of the dump",
        "an arm64 dump on an x86-64 host", "use a build for this machine",
    ),
    "C13": Kind(
        "error", "the ELF identification is damaged", "readers look at it before anything else",
        "EI_VERSION 0", "put the head in order",
    ),
    "C14": Kind(
        "info", "the file's byte order is not the reader's",
        "crash and makedumpfile read the byte order that they were built for; nothing is wrong with the dump",
        "an s390x dump on an x86-64 host", "use a build for this machine",
    ),
    "C15": Kind(
        "warning", "the CPU notes are not of the size that the machine needs",
        "a reader takes registers from them, and gives up over another size",
        "a PRSTATUS of x86-64 in a dump of i386", "dump again",
    ),
    "C16": Kind(
        "error", "the number of program headers is damaged",
        "readers find none, or look for headers where none are", "e_phnum 0", "dump again",
    ),
    "C17": Kind(
        "error", "the reader does not know this kind of file", "it opens other containers",
        "a flattened kdump file in makedumpfile", "save it in another form",
    ),
    "C18": Kind(
        "warning", "where memory lies in the file misleads a reader",
        "crash reads all that stands before the lowest p_offset of memory, and finds the notes in there",
        "p_offset 0 in the first PT_LOAD", "put the head in order",
    ),
    "C19": Kind(
        "error", "the kdump header does not say which system it is of",
        "QEMU fills in the machine alone; drgn and libkdumpfile want sysname Linux, a release, a version and a machine",
        "utsname with nothing but x86_64", "fill it in from the note and from guest memory",
    ),
    "C20": Kind(
        "error", "the two pointers of the kdump header to the text disagree",
        "crash and makedumpfile follow offset_vmcoreinfo, drgn and libkdumpfile the note: "
        "each reads another text, or none",
        "offset_vmcoreinfo 0 beside a VMCOREINFO note", "point both at the note",
    ),
    "C21": Kind(
        "warning", "the file is flattened",
        "QEMU and `makedumpfile -F` write kdump and ELF files so, for a pipe; makedumpfile, older libkdumpfile and "
        "volatility do not read it",
        "dump-guest-memory -z", "save a plain copy, as `vmci unflatten` and `makedumpfile -R` do",
    ),
    "C23": Kind(
        "error", "what the kdump header says is damaged, or in doubt",
        "sizes and offsets in it lead a reader astray, or to its death",
        "max_mapnr 2^40", "dump again, or copy the file again",
    ),
    "C35": Kind(
        "warning", "the program headers do not say where the kernel maps memory",
        "QEMU writes p_vaddr 0 or p_paddr; on 32-bit x86 and ARM and on ppc64 drgn finds kernel memory by p_vaddr "
        "alone: it accepts the dump, and then reads nothing",
        "p_vaddr 0 in a dump of i386", "write the addresses of the kernel's linear map, by which the note is proved",
    ),
    "C36": Kind(
        "warning", "a program header puts kernel memory where it does not lie",
        "drgn and libkdumpfile follow p_vaddr before the kernel's page tables, and read wrong memory without a word",
        "p_vaddr of the kernel's data on another page", "write what the page tables say, or 0",
    ),
    # M: memory
    "M01": Kind(
        "warning", "the dump holds no guest memory",
        "only its notes can be read; no reader can look at the kernel", "a dump made with length 0", "dump again",
    ),
    "M02": Kind(
        "warning", "two program headers give different bytes for one paddr",
        "readers differ in which of them they take", "two PT_LOADs that overlap", "none is safe",
    ),
    "M03": Kind(
        "warning", "the text does not fit the memory",
        "libkdumpfile looks for the name of the system where SYMBOL(init_uts_ns) says, and finds another text there",
        "NUMBER(phys_base) of another boot", "append the note that belongs to this guest",
    ),
    "M04": Kind(
        "warning", "memory is missing that a reader needs",
        "it follows pointers of the note into guest memory, and fails where the dump does not hold it",
        "a dump of one page", "dump again, whole",
    ),
    "M05": Kind(
        "error", "memory contradicts the note",
        "the text is another kernel's, another boot's, or was made up: readers take it, and then read wrong memory",
        "NUMBER(phys_base) of another boot",
        "`vmci repair` adopts the right note from memory, or sets the value that fits",
    ),
    "M06": Kind(
        "info", "memory cannot confirm the note",
        "what would prove it is not in the dump, or the text does not say where it lies; "
        "the note may be another guest's",
        "a window of memory", "`vmci repair` looks for a note in memory that can be proved",
    ),
    "M07": Kind(
        "warning", "phys_base in the kdump header is not what the note says",
        "QEMU reads the note's decimal as hexadecimal; makedumpfile trusts the header when it filters the file again",
        "0x436207616 for NUMBER(phys_base)=436207616", "set it to what the note says",
    ),
    "M08": Kind(
        "warning", "the note is not of the kernel that runs",
        "after kexec or a crash memory holds two kernels; readers show the one that the note is of",
        "the note of the kernel before kexec", "choose among the candidates: F in the app, `vmci find`",
    ),
    "M10": Kind(
        "info", "memory lies in the file twice, with the same bytes",
        "the kernel maps its own image twice, and /proc/kcore and /proc/vmcore show it twice: nothing is wrong with it",
        "a copy of /proc/vmcore", "none is needed",
    ),
    "M12": Kind(
        "info", "the dump is of a Xen dom0: the hypervisor's text stands beside the kernel's",
        "both notes are legal; makedumpfile reads the hypervisor's memory first",
        "a VMCOREINFO_XEN note beside VMCOREINFO", "none is needed",
    ),
    "M11": Kind(
        "warning", "the program headers give no physical addresses",
        "/proc/kcore before Linux 4.11 writes p_paddr 0 for all of memory: readers find it by virtual addresses only, "
        "and nothing can be looked for by paddr",
        "a copy of /proc/kcore of an old kernel", "none: take a copy of /proc/vmcore, or dump the machine",
    ),
}  # fmt: skip
