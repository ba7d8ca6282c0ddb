"""QEMU's migration streams: saved VMs as records, with RAM blocks, pages and device states."""
