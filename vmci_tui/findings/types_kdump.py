"""The kinds of findings about kdump-compressed files: those of readers (C22 to C29), of dumps not whole (C32, C33)."""

from __future__ import annotations

from vmci_tui.findings.finding_type import Kind

KDUMP_KINDS: dict[str, Kind] = {
    "C22": Kind(
        "error", "the sub-header is taken for one of another layout",
        "a 32-bit sub-header is packed or padded, and nothing says which: libkdumpfile takes it for packed only where "
        "offset_vmcoreinfo, read so, points into the sub-header's blocks",
        "the notes of an i386 dump at the end of the file, and a packed sub-header",
        "put the notes into the sub-header's blocks, or pad the sub-header",
    ),
    "C24": Kind(
        "error", "the records of the flattened file are damaged",
        "each record says where its bytes belong and how many there are; the last one must be the end mark",
        "a copy that ran out of disk, without an end mark", "copy the dump again, whole",
    ),
    "C25": Kind(
        "error", "a pointer in the sub-header leads out of the file",
        "readers follow it without looking, and fail or die where the file ends",
        "size_note 2^40", "point it at the notes; set what is not there to 0",
    ),
    "C26": Kind(
        "error", "the bitmaps do not lie where the header puts them",
        "sub_hdr_size, bitmap_blocks and max_mapnr say where they are and how long; every page is found by them",
        "bitmap_blocks 4096 in a small file", "copy the dump again, whole",
    ),
    "C27": Kind(
        "warning", "the file's blocks are not of the kernel's page size",
        "QEMU writes the blocks of some machines as large as pages may be there; libkdumpfile looks pages up by "
        "PAGESIZE, so drgn opens the file and then finds no memory in it",
        "block_size 65536 of an arm64 guest with pages of 4096", "save a copy with blocks of PAGESIZE, or an ELF dump",
    ),
    "C28": Kind(
        "error", "a page that a reader needs is damaged",
        "its descriptor or its compressed bytes are not what they should be; on s390x already opening needs a page",
        "a page descriptor of all zeros", "copy the dump again",
    ),
    "C29": Kind(
        "warning", "header_version is one without notes",
        "notes came with version 4, the pointer to the text with 3; before that readers look for neither",
        "header_version 2", "set the version to 6 where the sub-header has all fields",
    ),
    "C32": Kind(
        "warning", "the file is one part of a dump that was split",
        "`makedumpfile --split` writes each part with the headers and notes of all, and with its own pages only: what "
        "lies in the other parts no reader finds here",
        "the first of two parts", "put the parts together: `makedumpfile --reassemble PART... OUT`",
    ),
    "C33": Kind(
        "warning", "the dump is marked as incomplete",
        "makedumpfile says so of a dump for which the disk was too small, and vmci of the copy of a file that was cut "
        "off; crash shows it as INCOMPLETE, and reads no page that is missing",
        "status 9: incomplete, zlib", "dump again, with more room",
    ),
}  # fmt: skip
