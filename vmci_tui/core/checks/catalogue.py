"""Every finding that there is: its code, how bad it is, what it is, why it matters, an example, what to do.

The checks add the place and the numbers; which readers it concerns, and their words, come from
the readers' rules alone. The page of findings is made from this table and from those rules.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "info"]


class Kind(NamedTuple):
    """One kind of finding."""

    severity: Severity
    """As a rule; a check may know better."""
    what: str
    why: str
    example: str
    cure: str


CATALOGUE: dict[str, Kind] = {
    # E: the entry, and the writes that made it
    "E01": Kind(
        "error", "an invalid write to the entry",
        "only a full write of 16 bytes at offset 0 counts; QEMU stores the bytes and takes the note as not present",
        "two writes of 8 bytes, at offset 0 and 8", "write all 16 bytes at offset 0 in one DMA",
    ),
    "E02": Kind(
        "warning", "the entry was never written",
        "these are the bytes that QEMU holds after a reset: no driver announced a note "
        "(Linux needs CONFIG_FW_CFG_SYSFS and the qemu_fw_cfg module)",
        "01 00 and 14 zero bytes", "load qemu_fw_cfg in the guest, then dump again; or find the note in memory",
    ),
    "E03": Kind(
        "warning", "guest_format is 0: the note is switched off",
        "QEMU takes it as not present; a guest writes this to take its note back",
        "guest_format 0", "set guest_format to 1",
    ),
    "E04": Kind(
        "error", "guest_format is not supported",
        "QEMU ignores the note, but the entry stays visible to a debugger of QEMU",
        "guest_format 2", "set guest_format to 1 (ELF)",
    ),
    "E05": Kind(
        "error", "the size is less than a note header",
        "QEMU refuses it, whatever the format", "size 11", "set size to PAGESIZE + 36, as Linux does",
    ),
    "E06": Kind(
        "error", "the size is more than 1 MiB",
        "QEMU refuses it, whatever the format", "size 1048577", "set size to PAGESIZE + 36, as Linux does",
    ),
    "E07": Kind(
        "warning", "the size is exactly 1 MiB",
        "the specification wants less than 1 MiB; QEMU's code accepts exactly 1 MiB",
        "size 1048576", "set size to PAGESIZE + 36, as Linux does",
    ),
    "E08": Kind(
        "error", "the region leaves the dump's memory",
        "outside RAM QEMU reads zeros, and appends a 12-byte zero note without a word; "
        "in a windowed dump the region may just not be in the window",
        "paddr 0x100000000 in a guest of 1 GiB",
        "set paddr to where the note lies: /sys/kernel/vmcoreinfo of the guest",
    ),
    "E09": Kind(
        "error", "a write that ends in a DMA error",
        "nothing is copied; a transfer from where no memory is zeroes the entry",
        "17 bytes at offset 0", "write 16 bytes at offset 0",
    ),
    "E10": Kind(
        "error", "the size looks big-endian",
        "all fields of the entry are little-endian, whatever the guest is",
        "size 605028352, which is 4132 swapped", "swap the bytes of all fields",
    ),
    "E11": Kind(
        "error", "the note is larger than the entry says",
        "QEMU refuses a note that is larger than the entry's size, padding included",
        "size 394 for a note that takes 396 bytes", "set size to what the note takes",
    ),
    "E12": Kind(
        "warning", "the region holds another note than the dump",
        "QEMU appends what lies in the region: one of the two is stale, as an entry is after a kexec of the guest, "
        "or the note was edited, or memory changed since",
        "a region of the kernel that ran before kexec", "keep the one that memory proves: `vmci find`",
    ),
    "E13": Kind(
        "warning", "no note lies where the entry says",
        "QEMU refuses what lies there, or appends what is no VMCOREINFO note",
        "paddr of the page vmcoreinfo_data, which holds the text without a note's header",
        "set paddr to where the note lies: /sys/kernel/vmcoreinfo of the guest, or `vmci find`",
    ),
    "E14": Kind(
        "info", "the region holds the note that the dump lacks",
        "the guest announced it, and it was not appended: the entry was refused, or is of another time than the dump",
        "guest_format 2, so QEMU left the note out", "append the note that the entry points at",
    ),
    # N: the notes
    "N01": Kind(
        "error", "the dump has no VMCOREINFO note",
        "readers cannot know which kernel this is, nor where it lies; the note may still lie in guest memory",
        "a guest without -device vmcoreinfo", "`vmci repair` finds and proves it in memory (F and R in the app); "
        "or append it from a file or another dump",
    ),
    "N02": Kind(
        "error", "a note is broken",
        "readers stop at it, or read past it; what follows is lost to them",
        "descsz larger than what is left of the notes", "take the broken bytes out",
    ),
    "N03": Kind(
        "info", "the padding of a note is not zero",
        "no reader looks at it, and saving keeps it; it may hold bytes of something else",
        "text of 5 bytes, then !!! up to the next multiple of 4", "none is needed",
    ),
    "N04": Kind(
        "error", "the note's name is not exactly VMCOREINFO and one NUL",
        "namesz must be 11; readers differ in what else they take",
        "VMCOREINFO without its NUL, namesz 10", "name it VMCOREINFO",
    ),
    "N05": Kind(
        "error", "there are several VMCOREINFO notes",
        "readers differ in which one they take: the first, the last, or neither",
        "a second note appended behind the first", "keep the last one only",
    ),
    "N06": Kind(
        "error", "an oversized note",
        "QEMU appends none that is larger than 1 MiB, and no kernel writes more than a page",
        "descsz 1048577", "append the right note",
    ),
    "N07": Kind(
        "warning", "a note of 12 zero bytes",
        "QEMU appends this, without a word, when the entry's paddr lies outside the guest's RAM: "
        "the entry that the guest wrote was wrong",
        "12 zero bytes behind the QEMU notes", "take the empty note out, then append the right one",
    ),
    "N08": Kind(
        "error", "the note's header words are in another byte order than the file",
        "readers follow the file's byte order and find no note; name and text need no change",
        "a little-endian header in a ppc64 dump, which QEMU writes as big-endian", "swap the header words",
    ),
    "N09": Kind(
        "warning", "the note's type is not 0",
        "Linux writes 0; some readers look at the type before the name",
        "type 1, which is NT_PRSTATUS", "set the type to 0",
    ),
    "N10": Kind(
        "error", "class mismatch: the text is a kernel's of another width than the guest",
        "the note header is the same in both classes, so the text votes",
        "SIZE(list_head)=8 in a dump of x86_64", "append the note that belongs to this guest",
    ),
    "N11": Kind(
        "error", "the text is another machine's",
        "a key stands in the text that only another machine's kernel writes",
        "NUMBER(kimage_voffset) in a dump of x86_64", "append the note that belongs to this guest",
    ),
    "N12": Kind(
        "warning", "a note ends without its padding",
        "the next note would begin at an address that no reader looks at; saving adds the padding",
        "the last note cut after its text", "save the file",
    ),
    "N13": Kind(
        "info", "the note holds a Windows dump header",
        "the Windows driver announces its dump header this way; it is not text, and is left alone. "
        "A dump for WinDbg is what QEMU writes with `dump-guest-memory -w`",
        "a descriptor that begins with PAGEDU64 or PAGEDUMP", "none is needed",
    ),
    "N14": Kind(
        "info", "whether the text belongs to the guest's class cannot be told",
        "the note header is the same in both classes, and no line of the text votes",
        "a text of OSRELEASE and PAGESIZE alone", "none is needed",
    ),
    "N15": Kind(
        "warning", "a reader does not find the note where it stands",
        "what stands around the note makes this reader walk past it, or stop before it",
        "four zero bytes before the note", "put the head in order",
    ),
    "N16": Kind(
        "warning", "a note that stops a reader, or makes it take the dump for another kind",
        "a name that is too long, or a Xen note that is empty or cut: the reader gives up, or dies",
        "a note named Xen with an empty descriptor", "take the note out",
    ),
    # T: the text
    "T01": Kind(
        "error", "a byte that is not printable ASCII", "vmcoreinfo is ASCII; Linux writes no other byte",
        "an escape sequence in OSRELEASE", "write the line anew",
    ),
    "T02": Kind(
        "error", "lines end in CR LF", "the CR becomes part of the value, which is then no number",
        "a text that went through an editor on Windows", "end the lines in LF",
    ),
    "T03": Kind(
        "error", "a NUL inside the text", "for several readers the text ends there, and the keys behind it are lost",
        "a text padded with NULs in the middle", "take the NULs out",
    ),
    "T04": Kind(
        "warning", "the last line has no newline", "some readers do not see a line that is not ended",
        "PAGESIZE=4096 as the last bytes of the note", "end the last line",
    ),
    "T05": Kind(
        "warning", "a line is longer than Linux writes",
        "Linux cuts a line at 79 bytes, newline included, so the next one is glued to it",
        "OSRELEASE= and a release of 80 characters", "check the line, and cut it in two",
    ),
    "T06": Kind(
        "warning", "a key stands in several lines", "some readers take the first, others the last",
        "PAGESIZE=4096 and, further down, PAGESIZE=8192", "keep the last one",
    ),
    "T07": Kind(
        "error", "a value is no number of its form",
        "readers refuse the note, or pass over the key, where a number does not parse",
        "PAGESIZE=4096 with a blank behind it", "write the number as its form wants it",
    ),
    "T08": Kind(
        "warning", "a line is no key=value", "readers pass over it",
        "a line without '='", "delete the line",
    ),
    "T09": Kind(
        "warning", "the text has no OSRELEASE, or does not begin with it",
        "Linux writes OSRELEASE as the first line; it tells which kernel this is",
        "a text that begins with PAGESIZE", "add the line",
    ),
    "T10": Kind("error", "the note is empty", "it has no text at all", "descsz 0", "append the right note"),
    "T11": Kind(
        "warning", "the text is longer than a page",
        "Linux caps it at one page: this is no text that a kernel wrote",
        "a text of 5,000 bytes with PAGESIZE=4096", "append the note that the kernel wrote",
    ),
    "T12": Kind(
        "error", "PAGESIZE is no power of two", "every page of memory would be looked for at the wrong place",
        "PAGESIZE=4095", "set PAGESIZE to the guest's",
    ),
    "T13": Kind(
        "warning", "a number that looks octal",
        "Linux writes decimal without leading zeros: drgn and libkdumpfile take a leading 0 for octal, others do not",
        "NUMBER(VA_BITS)=048", "take the leading zeros out",
    ),
    "T14": Kind(
        "warning", "OSRELEASE has a form that a reader refuses", "it should look like 6.1.0-13-amd64",
        "OSRELEASE=6.1-rc1", "write the release as `uname -r` of the guest says it",
    ),
    "T15": Kind(
        "error", "a key is missing that a reader requires", "the reader gives up without it",
        "a text without PAGESIZE", "append the note that the kernel wrote, or add the key",
    ),
    "T16": Kind(
        "info", "QEMU reads phys_base in base 16, Linux writes it in decimal",
        "a kdump header that QEMU writes for this guest holds the wrong phys_base; ELF dumps are not concerned, "
        "and readers that take the note's value neither",
        "NUMBER(phys_base)=16777216, which QEMU takes for 0x16777216", "none: Linux writes it so",
    ),
    "T17": Kind(
        "warning", "KERNELOFFSET and SYMBOL(_stext) disagree",
        "makedumpfile and drgn follow KERNELOFFSET, crash ignores its number and follows _stext: one of them is off",
        "KERNELOFFSET=1000000 with SYMBOL(_stext)=ffffffff83000000", "set KERNELOFFSET to what _stext says",
    ),
    "T18": Kind(
        "warning", "the BUILD-ID cannot be trusted",
        "these stable kernels wrote garbage there: it matches no vmlinux",
        "OSRELEASE=6.6.60", "look vmlinux up by the release",
    ),
    "T19": Kind(
        "error", "a number that a reader finds out of range", "the reader gives up over it",
        "NUMBER(SECTION_SIZE_BITS)=99", "set it to what the kernel has",
    ),
    "T20": Kind(
        "error", "PAGESIZE that a reader refuses, or dies of", "the reader divides by it, or takes it for an error",
        "PAGESIZE=0", "set PAGESIZE to the guest's",
    ),
    "T21": Kind(
        "error", "CRASHTIME is no time", "the kernel writes it at a panic only, as seconds since 1970",
        "CRASHTIME=0", "take the line out",
    ),
    "T22": Kind(
        "error", "a symbol at an address that a reader refuses", "0 and -1 are no addresses of a symbol",
        "SYMBOL(swapper_pg_dir)=0", "write the address that /proc/kallsyms of the guest shows",
    ),
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
        "crash and makedumpfile read the machine that they were built for; nothing is wrong with the dump",
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
}  # fmt: skip
