"""Open a running VM as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmci_tui.document.document import Document
from vmci_tui.document.state import State
from vmci_tui.images.as_dump import dump_of
from vmci_tui.live.open_vm import image_of_vm
from vmci_tui.live.vm import running_vm

if TYPE_CHECKING:
    from vmci_tui.images.guest_image import ImageChoice


def open_vm(name: str, choice: ImageChoice | None) -> Document:
    """Open the VM that `qmp:SOCKET` or `virsh:DOMAIN` names. Raises OpenError."""
    vm = running_vm(name)
    try:
        image = image_of_vm(vm, choice is None or choice.stop)
        dump = dump_of(image)
    except BaseException:
        vm.close()
        raise
    opened = State(dump.notes, image.entry, header=dump.header_fields)
    document = Document(vm.name, dump.source, dump, opened)
    document.files = (vm,)
    return document
