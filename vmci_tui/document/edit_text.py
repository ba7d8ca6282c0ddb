"""Edit the note's text: its keys and lines."""

from __future__ import annotations

from vmci_tui.common.errors import EditError
from vmci_tui.document.edit import labelled
from vmci_tui.document.edit_notes import NO_NOTE, replace_note
from vmci_tui.document.state import State
from vmci_tui.formats.vmcoreinfo import Line, Vmcoreinfo, check_key, unindented


def _text(state: State) -> Vmcoreinfo:
    if state.vmcoreinfo is None:
        if state.note is not None and state.note.is_windows:
            raise EditError("the note holds a Windows dump header, not text", "it is left unchanged")
        if state.note is not None:
            raise EditError("the note has more than 1 MiB: it is not read as text", "remove it, or append another")
        raise EditError(NO_NOTE, "append one first")
    return state.vmcoreinfo


@labelled("edit the text")
def set_text(state: State, text: bytes) -> State:
    """Return the state with the note's text replaced; name, type and byte order stay."""
    _text(state)
    assert state.index is not None and state.note is not None
    if text == state.note.desc:
        return state
    return replace_note(state, state.index, state.note.with_desc(text))


@labelled("set {key} to {value}")
def set_key(state: State, key: bytes, value: bytes) -> State:
    return set_text(state, _text(state).with_value(key, value).text)


@labelled("add {key}={value}")
def add_key(state: State, key: bytes, value: bytes) -> State:
    return set_text(state, _text(state).with_new_line(key, value).text)


@labelled("set {body}")
def set_line(state: State, number: int, body: bytes) -> State:
    return set_text(state, _text(state).with_line(number, body).text)


@labelled("delete line {number}")
def delete_line(state: State, number: int) -> State:
    return set_text(state, _text(state).without_line(number).text)


@labelled("name line {number} {key}")
def rename_key(state: State, number: int, key: bytes) -> State:
    """Return the state with another key in line `number`; its value stays."""
    check_key(key)
    line = _line(state, number)
    if line.key is None:
        raise EditError(f"line {number} has no key", "write KEY=VALUE in its place")
    return set_line(state, number, key + b"=" + (line.value or b""))


@labelled(lambda number, by: f"move line {number} {'down' if by > 0 else 'up'}")
def move_line(state: State, number: int, by: int) -> State:
    """Return the state with line `number` moved by `by` lines; the final line keeps lacking its newline, if it did."""
    text = _text(state)
    _line(state, number)
    to = number + by
    if not 1 <= to <= len(text.lines):
        raise EditError("the line is already last" if by > 0 else "the line is already first")
    bodies = [line.body for line in text.lines]
    bodies.insert(to - 1, bodies.pop(number - 1))
    ends = (line.raw[len(line.body) :] for line in text.lines)
    return set_text(state, b"".join(body + end for body, end in zip(bodies, ends, strict=True)))


@labelled("duplicate line {number}")
def duplicate_line(state: State, number: int) -> State:
    """Return the state with line `number` duplicated directly after itself."""
    line, text = _line(state, number), _text(state).text
    again = line.raw if line.raw.endswith(b"\n") else b"\n" + line.raw
    at = line.offset + len(line.raw)
    return set_text(state, text[:at] + again + text[at:])


def _line(state: State, number: int) -> Line:
    lines = _text(state).lines
    if not 1 <= number <= len(lines):
        raise EditError(f"the text has no line {number}", f"it has {len(lines)}")
    return lines[number - 1]


@labelled("remove {key}")
def delete_key(state: State, key: bytes) -> State:
    """Return the state without the lines of this key. Raises EditError if there are none."""
    text = _text(state)
    lines = text.all(key)
    if not lines:
        raise EditError("the note has no such key", "`vmci show FILE --keys` lists them")
    for line in reversed(lines):
        text = text.without_line(line.number)
    return set_text(state, text.text)


@labelled("keep the last {key}")
def keep_last_key(state: State, key: bytes) -> State:
    """Return the state with only the last of several lines of this key."""
    text = _text(state)
    drop = {line.number for line in text.all(key)[:-1]}
    return set_text(state, b"".join(line.raw for line in text.lines if line.number not in drop))


@labelled("add the newline")
def end_last_line(state: State) -> State:
    return set_text(state, _text(state).text + b"\n")


@labelled("replace {old} with {new}")
def replace_bytes(state: State, old: bytes, new: bytes) -> State:
    """Return the state with every `old` in the text replaced by `new`."""
    return set_text(state, _text(state).text.replace(old, new))


@labelled("remove the blanks before the keys")
def unindent(state: State) -> State:
    """Return the state with the blanks before the text's keys removed."""
    return set_text(state, unindented(_text(state).text))
