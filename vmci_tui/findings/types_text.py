"""The kinds of findings about the text (T)."""

from __future__ import annotations

from vmci_tui.findings.finding_type import Kind

TEXT_KINDS: dict[str, Kind] = {
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
        "info", "the text is longer than a page",
        "Linux keeps it within one page; a kernel that allocates several for it is a patched one, or newer than this "
        "program. Whether memory proves the note tells more",
        "a text of 5,000 bytes with PAGESIZE=4096", "none is needed where memory proves the note",
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
    "T23": Kind(
        "warning", "the text was made of vmlinux, not by a kernel that runs",
        "`makedumpfile -g` writes the addresses that vmlinux was linked at, with no phys_base and no BUILD-ID: "
        "it does not fit the memory of a kernel that KASLR moved",
        "SRCFILE(pud_t)=arch/x86/include/asm/pgtable_types.h", "append the note that the kernel wrote: `vmci find`",
    ),
    "T24": Kind(
        "warning", "the kernel is newer than makedumpfile",
        "makedumpfile then says `The kernel version is not supported.` and goes on, and may leave out pages in use",
        "OSRELEASE=6.12.9 with makedumpfile 1.7.2", "filter it with the release that is named, or keep all pages",
    ),
    "T25": Kind(
        "warning", "crash or makedumpfile of this machine gives up over the text",
        "the builds for x86-64, which are asked here, do not come so far; a build for the machine does",
        "the text of a riscv64 kernel before 6.2, without NUMBER(PAGE_OFFSET)",
        "append the note that the kernel wrote, or use the release that is named",
    ),
    "T26": Kind(
        "error", "lines are indented", "for readers the blanks are a part of the key, which they then do not know",
        "a text that `help -D` of crash printed", "take the blanks before the keys out",
    ),
}  # fmt: skip
