"""Render the guest's writes to the entry as C for a test under tests/qtest/ of QEMU.

It needs only libqtest, and does what `vmci ask` does: fw_cfg by DMA (docs/specs/fw_cfg.rst), on a PC.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.common.safe_text import Safe
from vmci_tui.formats.fw_cfg_entry import EntryHistory, Write

_BYTES_A_LINE: Final = 12
_HEAD: Final = """\
/* The guest's writes to etc/vmcoreinfo: call write_vmcoreinfo(qts) on a PC with -device vmcoreinfo. */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"

#define REQUEST 0x10000 /* guest memory that the test may use */
#define DATA 0x11000
#define NOWHERE 0x00ffffff00000000ULL /* no guest memory is here */

enum { DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };

static void fw_cfg_dma(QTestState *qts, uint32_t control, uint32_t length, uint64_t data)
{
    uint32_t request[4] = { cpu_to_be32(control), cpu_to_be32(length), cpu_to_be32(data >> 32), cpu_to_be32(data) };

    qtest_memwrite(qts, REQUEST, request, sizeof(request));
    qtest_outl(qts, 0x514, 0);
    qtest_outl(qts, 0x518, bswap32(REQUEST)); /* the register is big-endian; this starts the transfer */
}

static uint32_t vmcoreinfo_key(QTestState *qts)
{
    struct { uint32_t size; uint16_t select, reserved; char name[56]; } file;
    uint32_t count;

    fw_cfg_dma(qts, 0x19 << 16 | DMA_SELECT | DMA_READ, sizeof(count), DATA);
    qtest_memread(qts, DATA, &count, sizeof(count));
    for (count = be32_to_cpu(count); count; count--) {
        fw_cfg_dma(qts, DMA_READ, sizeof(file), DATA);
        qtest_memread(qts, DATA, &file, sizeof(file));
        if (!strcmp(file.name, "etc/vmcoreinfo")) {
            return be16_to_cpu(file.select);
        }
    }
    g_assert_not_reached();
}

static void write_entry(QTestState *qts, uint32_t offset, uint32_t length, const void *data)
{
    fw_cfg_dma(qts, vmcoreinfo_key(qts) << 16 | DMA_SELECT | DMA_SKIP, offset, 0);
    if (data) {
        qtest_memwrite(qts, DATA, data, length);
    }
    fw_cfg_dma(qts, DMA_WRITE, length, data ? DATA : NOWHERE);
}

static void write_vmcoreinfo(QTestState *qts)
{"""


def qtest_lines(history: EntryHistory) -> Iterator[Safe]:
    """Yield the snippet, a line each; a comment after each write says what QEMU makes of it."""
    yield from map(Safe, _HEAD.split("\n"))
    for number, write in enumerate(history.writes, 1):
        yield from map(Safe, _array(number, write))
    yield Safe("")
    for number, (write, outcome) in enumerate(zip(history.writes, history.outcomes, strict=True), 1):
        data = f"write_{number}" if write.data else "NULL"
        yield Safe(f"    write_entry(qts, {write.offset}, {write.length}, {data}); /* {outcome.result} */")
    yield Safe("}")


def _array(number: int, write: Write) -> Iterator[str]:
    if not write.data:
        return
    octets = [f"0x{byte:02x}," for byte in write.data]
    yield f"    static const uint8_t write_{number}[] = {{"
    for at in range(0, len(octets), _BYTES_A_LINE):
        yield "        " + " ".join(octets[at : at + _BYTES_A_LINE])
    yield "    };"
