"""The findings about the entry and the guest's writes to it."""

from typing import Final

from vmci_tui.findings.catalogue.finding_type import FindingType

# fmt: off
ROWS: Final = (
    FindingType("E01", "error", "entry",
        what="a write to the entry is invalid",
        why="only a full write of 16 bytes at offset 0 counts; QEMU stores the bytes but treats the note as absent",
        example="two writes of 8 bytes, at offset 0 and 8",
        cure="write all 16 bytes at offset 0 in one DMA",
        craft={"two-halves": (), "15-bytes": (), "then-4-bytes": ()}),
    FindingType("E02", "warning", "entry",
        what="the entry was never written",
        why=(
            "QEMU still holds the bytes it has after a reset: no driver announced a note (Linux needs "
            "CONFIG_FW_CFG_SYSFS and the qemu_fw_cfg module)"
        ),
        example="01 00, then 14 zero bytes",
        cure="load qemu_fw_cfg in the guest, then dump again; or find the note in memory",
        cure_of_image=(
            "load qemu_fw_cfg in the guest and look again; or `vmci convert` makes a dump, with the note if proved"
        ),
        craft={"never-written": ()}),
    FindingType("E03", "warning", "entry",
        what="guest_format is 0: the note is switched off",
        why="QEMU treats the note as absent; a guest writes this to withdraw its note",
        example="guest_format 0",
        cure="set guest_format to 1",
        craft={"format-0": ()}),
    FindingType("E04", "error", "entry",
        what="guest_format is not supported",
        why="QEMU ignores the note; only a debugger attached to QEMU still shows the entry",
        example="guest_format 2",
        cure="set guest_format to 1 (ELF)",
        craft={"format-2": ()}),
    FindingType("E05", "error", "entry",
        what="the size is less than a note header",
        why="QEMU refuses it, whatever the format",
        example="size 11",
        cure="set size to PAGESIZE + 36, as Linux does",
        craft={"size-11": ()}),
    FindingType("E06", "error", "entry",
        what="the size is more than 1 MiB",
        why="QEMU refuses it, whatever the format",
        example="size 1048577",
        cure="set size to PAGESIZE + 36, as Linux does",
        craft={"size-over-1-mib": ()}),
    FindingType("E07", "warning", "entry",
        what="the size is exactly 1 MiB",
        why="the specification requires less than 1 MiB; QEMU's code accepts exactly 1 MiB",
        example="size 1048576",
        cure="set size to PAGESIZE + 36, as Linux does",
        craft={"size-1-mib": ()}),
    FindingType("E08", "error", "entry",
        what="the region leaves the dump's memory",
        why=(
            "outside RAM QEMU reads zeros and silently appends a 12-byte note of zeros; a dump of only a part of "
            "memory may just lack the region"
        ),
        example="paddr 0x100000000 in a guest of 1 GiB",
        cure="set paddr to the address of the note: see /sys/kernel/vmcoreinfo in the guest",
        craft={"outside-ram": ()}),
    FindingType("E09", "error", "entry",
        what="a write ended in a DMA error",
        why="QEMU copies nothing; a transfer from outside memory zeroes the entry",
        example="17 bytes at offset 0",
        cure="write 16 bytes at offset 0",
        craft={"17-bytes": (), "not-memory": ("E05",)}),
    FindingType("E10", "error", "entry",
        what="the size looks byte-swapped",
        why="all fields of the entry are little-endian, whatever the guest is",
        example="size 605028352, which is 4132 swapped",
        cure="swap the bytes of all fields",
        craft={"big-endian": ("E04", "E06")}),
    FindingType("E11", "error", "entry",
        what="the note is larger than the entry says",
        why="QEMU refuses a note that is larger than the entry's size, padding included",
        example="size 394 for a note that takes 396 bytes",
        cure="set size to the length of the note with its padding",
        craft={"size-without-padding": ()}),
    FindingType("E12", "warning", "entry",
        what="the region holds a different note than the dump",
        why=(
            "QEMU appends the bytes of the region: one of the two notes is stale (after a kexec of the guest the entry "
            "is), or the note was edited, or memory changed since"
        ),
        example="a region of the kernel that ran before kexec",
        cure="keep the one that memory proves: see `vmci find`",
        craft={"stale": ()}),
    FindingType("E13", "warning", "entry",
        what="no note is where the entry points",
        why="QEMU refuses the bytes there, or appends something that is not a VMCOREINFO note",
        example="paddr of the page vmcoreinfo_data, which holds the text without a note header",
        cure="set paddr to the address of the note: see /sys/kernel/vmcoreinfo in the guest, or `vmci find`",
        craft={"text-alone": ("E11",)}),
    FindingType("E14", "info", "entry",
        what="the region holds the note that the dump lacks",
        why=(
            "the guest announced it, but this file lacks it: QEMU refused it, or it is older or newer than the dump, "
            "or the file is not a dump of QEMU's"
        ),
        example="guest_format 2, so QEMU left the note out",
        cure="append the note that the entry points at",
        craft={"not-appended": ("N01",)}),
)
# fmt: on
