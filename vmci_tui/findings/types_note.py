"""The kinds of findings about the entry (E) and the notes (N)."""

from __future__ import annotations

from vmci_tui.findings.finding_type import Kind

NOTE_KINDS: dict[str, Kind] = {
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
}  # fmt: skip
