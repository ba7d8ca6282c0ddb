"""Edit the dump's headers: their order, the program headers, the fields of a kdump file's header."""

from __future__ import annotations

from dataclasses import replace

from vmci_tui.common.errors import EditError
from vmci_tui.common.safe_text import visible
from vmci_tui.containers import HeaderFields, LayoutChoice, VirtualRange
from vmci_tui.document.edit import labelled
from vmci_tui.document.state import State
from vmci_tui.formats.kdump_records import UTSNAME, UTSNAME_LIMIT


@labelled("rewrite the headers in standard order")
def order_headers(state: State) -> State:
    """Return the state with the headers in the order that readers need; every other edit implies this."""
    return state if any(state.choice) else replace(state, choice=LayoutChoice(ordered=True))


@labelled("merge the program headers")
def merge_headers(state: State) -> State:
    """Return the state with one program header for each range of memory; the headers' virtual addresses are lost."""
    return replace(state, choice=state.choice._replace(merged=True))


@labelled("write the kernel's addresses")
def map_headers(state: State, mapped: tuple[VirtualRange, ...]) -> State:
    """Return the state with the kernel's virtual addresses of this memory in the program headers."""
    return replace(order_headers(state), mapped=mapped)


@labelled("save a plain copy")
def make_plain(state: State) -> State:
    """Return the state that is saved as a plain copy of a flattened file; other dumps do not change."""
    return replace(state, choice=state.choice._replace(plain=True))


@labelled("set header.{name}={value}")
def set_header(state: State, name: str, value: bytes) -> State:
    """Return the state with a utsname field of a kdump header set. Raises EditError for other containers or names."""
    header = _header(state)
    if name not in UTSNAME:
        raise EditError(f"the header has no field {visible(name)}", f"phys_base, {', '.join(UTSNAME)}")
    if len(value) > UTSNAME_LIMIT or b"\0" in value:
        raise EditError(f"{name} has at most {UTSNAME_LIMIT} bytes, and no NUL", "choose a shorter one")
    index = UTSNAME.index(name)
    names = (*header.utsname[:index], value, *header.utsname[index + 1 :])
    return replace(state, header=header._replace(utsname=names))


@labelled("set header.phys_base={value:#x}")
def set_phys_base(state: State, value: int) -> State:
    """Return the state with the phys_base of a kdump header set; it may be negative. Raises EditError."""
    header = _header(state)
    if not -(1 << header.bits) < value < 1 << header.bits:
        raise EditError(f"phys_base has {header.bits} bits", "it is what the note's NUMBER(phys_base) says")
    return replace(state, header=header._replace(phys_base=value % (1 << header.bits)))


def _header(state: State) -> HeaderFields:
    if state.header is None:
        raise EditError("this is not a kdump file: its header has no utsname and no phys_base", "they are in the note")
    return state.header
