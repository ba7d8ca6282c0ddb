"""The lines that the content of a kernel's data shows, for a kernel whose tables do not show them."""

from __future__ import annotations

from collections.abc import Mapping

from vmci_tui.kernel.content.image_data import image_data
from vmci_tui.kernel.content.ring_lines import ring_lines
from vmci_tui.kernel.content.rings import rings
from vmci_tui.kernel.content.utsname_lines import utsname_lines
from vmci_tui.kernel.facts.running_kernel import Fact, RunningKernel


def content_lines(kernel: RunningKernel) -> Mapping[bytes, Fact]:
    """Return the lines by key; none for a kernel whose table of symbols has variables, which shows them itself."""
    if kernel.symbols(b"linux_banner"):
        return {}
    data = image_data(kernel)
    return {} if data is None else {**utsname_lines(kernel, data), **ring_lines(kernel, data, rings(kernel, data))}
