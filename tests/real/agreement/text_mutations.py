"""Damage the text: lines, keys, and values in forms that readers may parse differently."""

from __future__ import annotations

import random

from tests.dumps.elf_shape import Shape
from tests.real.agreement.mutations import Mutations
from tests.real.agreement.odd_values import KEYS, NEEDED, NUMBERS, SPECIAL

text = Mutations()


def _lines(shape: Shape) -> list[bytes] | None:
    note = shape.vmcoreinfo
    return None if note is None else note.desc.split(b"\n")


def _keep(shape: Shape, lines: list[bytes]) -> None:
    note = shape.vmcoreinfo
    assert note is not None
    note.desc = b"\n".join(lines)


def _values(key: bytes) -> tuple[bytes, ...]:
    if key in SPECIAL:
        return SPECIAL[key]
    if key.startswith(b"CONFIG"):
        return (b"y", b"n", b"m", b"")
    return NUMBERS


def _pick(rng: random.Random, lines: list[bytes]) -> int | None:
    """Return a line with a key: one that readers need, or any."""
    with_key = [n for n, line in enumerate(lines) if b"=" in line]
    needed = [n for n in with_key if lines[n].partition(b"=")[0] in (*NEEDED, *SPECIAL)]
    known = [n for n in with_key if lines[n].partition(b"=")[0] in KEYS]
    for some in rng.sample([needed, known, with_key], 3):
        if some:
            return rng.choice(some)
    return None


@text(22)
def value(rng: random.Random, shape: Shape) -> str | None:
    """Write a value in another form."""
    lines = _lines(shape)
    at = _pick(rng, lines) if lines else None
    if lines is None or at is None:
        return None
    key = lines[at].partition(b"=")[0]
    lines[at] = key + b"=" + rng.choice(_values(key))
    _keep(shape, lines)
    return str(lines[at][:80])


@text(10)
def added_key(rng: random.Random, shape: Shape) -> str | None:
    """Add a key: a missing one, one of another machine, or a duplicate before or after."""
    lines = _lines(shape)
    if lines is None:
        return None
    key = rng.choice(KEYS)
    line = key + b"=" + rng.choice(_values(key))
    at = rng.choice((0, 1, len(lines) // 2, max(len(lines) - 1, 0), len(lines)))
    lines.insert(at, line)
    _keep(shape, lines)
    return f"{line[:80]!r} at line {at}"


@text(7)
def duplicate(rng: random.Random, shape: Shape) -> str | None:
    lines = _lines(shape)
    at = _pick(rng, lines) if lines else None
    if lines is None or at is None:
        return None
    key = lines[at].partition(b"=")[0]
    line = key + b"=" + rng.choice((*_values(key), b"9.9.9-dup", lines[at].partition(b"=")[2]))
    before = rng.random() < 0.4
    lines.insert(at if before else len(lines) - 1, line)
    _keep(shape, lines)
    return f"{line[:80]!r} {'before' if before else 'behind'}"


@text(6)
def missing_key(rng: random.Random, shape: Shape) -> str | None:
    lines = _lines(shape)
    at = _pick(rng, lines) if lines else None
    if lines is None or at is None:
        return None
    gone = lines.pop(at)
    _keep(shape, lines)
    return str(gone[:40])


@text(4)
def moved_key(rng: random.Random, shape: Shape) -> str | None:
    lines = _lines(shape)
    at = _pick(rng, lines) if lines else None
    if lines is None or at is None:
        return None
    line = lines.pop(at)
    to = rng.choice((0, len(lines) // 2, len(lines) - 1, len(lines)))
    lines.insert(to, line)
    _keep(shape, lines)
    return f"{line[:40]!r} to line {to}"


@text(5)
def damaged_key(rng: random.Random, shape: Shape) -> str | None:
    """Insert bytes before a key, in it or after it."""
    lines = _lines(shape)
    at = _pick(rng, lines) if lines else None
    if lines is None or at is None:
        return None
    key, _, rest = lines[at].partition(b"=")
    lines[at] = rng.choice(
        (b" " + key + b"=" + rest, b"\t" + key + b"=" + rest, b"X" + key + b"=" + rest, key + b" =" + rest,
         key + b"= " + rest, key + rest, key.lower() + b"=" + rest, key + b"X=" + rest, b"=" + rest, key,
         key + b"==" + rest, key + b"\0=" + rest, b"\0" + key + b"=" + rest, key + b"=\0" + rest,
         key + b"=" + rest + b"\0", key + b":" + rest, b"#" + key + b"=" + rest, b"\n" + key + b"=" + rest)
    )  # fmt: skip
    _keep(shape, lines)
    return str(lines[at][:80])


@text(4)
def line_ends(rng: random.Random, shape: Shape) -> str | None:
    note = shape.vmcoreinfo
    if note is None:
        return None
    way = rng.choice(("crlf", "one crlf", "cr", "doubled", "nul", "none"))
    if way == "one crlf":
        lines = note.desc.split(b"\n")
        lines[rng.randrange(len(lines))] += b"\r"
        note.desc = b"\n".join(lines)
    else:
        ends = {"crlf": b"\r\n", "cr": b"\r", "doubled": b"\n\n", "nul": b"\0", "none": b""}
        note.desc = note.desc.replace(b"\n", ends[way])
    return way


@text(7)
def last_newline(rng: random.Random, shape: Shape) -> str | None:
    """Remove the newline at the end, after any key."""
    lines = _lines(shape)
    if not lines or len(lines) < 2:
        return None
    lines = [line for line in lines if line]
    if rng.random() < 0.6:
        at = _pick(rng, lines)
        if at is not None:
            lines.append(lines.pop(at))
    _keep(shape, lines)
    return str(lines[-1][:40] if lines else b"")


@text(6)
def nul(rng: random.Random, shape: Shape) -> str | None:
    """Insert a NUL, where the text ends for some readers."""
    note = shape.vmcoreinfo
    if note is None or not note.desc:
        return None
    size = len(note.desc)
    at = rng.choice((0, 5, 20, 100, size // 2, size - 40, size - 1, size, rng.randrange(size)))
    at = min(max(at, 0), size)
    count = rng.choice((1, 1, 1, 4, 100))
    note.desc = note.desc[:at] + bytes(count) + note.desc[at + rng.choice((0, count)) :]
    return f"{count} at {at} of {size}"


@text(4)
def odd_line(rng: random.Random, shape: Shape) -> str | None:
    lines = _lines(shape)
    if lines is None:
        return None
    line = rng.choice(
        (b"", b"=", b"=5", b"no equals sign", b" ", b"\xe4\xf6", b"\x1b[2J=1", b"# comment", b"KEY=", b"A=" * 50,
         b"VMCOREINFO", b"X" * 79, b"K=" + b"v" * 500, b"K=" + b"v" * 1021, b"K=" + b"v" * 1022,
         b"K=" + b"v" * 1100, b"K=" + b"v" * 1022 + b"OSRELEASE=7.7.7", b"K=" + b"v" * 1021 + b"PAGESIZE=3",
         b"K=" + b"v" * 5000, b"X" * 70000)
    )  # fmt: skip
    at = rng.choice((0, 0, 1, len(lines) // 2, max(len(lines) - 1, 0)))
    lines.insert(at, line)
    _keep(shape, lines)
    return f"{line[:40]!r} ({len(line)}) at line {at}"


@text(4)
def few_lines(rng: random.Random, shape: Shape) -> str | None:
    """Keep only the first few lines, or those that readers need, or fewer."""
    lines = _lines(shape)
    if lines is None:
        return None
    if rng.random() < 0.5:
        lines = lines[: rng.choice((0, 1, 2, 3, 5, 20))]
    else:
        wanted = rng.sample(NEEDED, rng.choice((1, 2, 2, 3, 3)))
        lines = [line for line in lines if line.partition(b"=")[0] in wanted]
    _keep(shape, [*lines, b""])
    return f"{len(lines)} left"


@text(2)
def shuffled(rng: random.Random, shape: Shape) -> str | None:
    lines = _lines(shape)
    if lines is None:
        return None
    lines = [line for line in lines if line]
    rng.shuffle(lines)
    _keep(shape, [*lines, b""])
    return ""


@text(2)
def longer(rng: random.Random, shape: Shape) -> str | None:
    """Extend the text beyond a page, as no kernel does."""
    note = shape.vmcoreinfo
    if note is None:
        return None
    count = rng.choice((20, 200, 3000))
    extra = b"".join(b"SYMBOL(extra_%d)=%x\n" % (n, 0xFFFFFFFF80000000 + n) for n in range(count))
    note.desc = extra + note.desc if rng.random() < 0.3 else note.desc + extra
    return f"{count} more keys"


@text(1)
def whole_text(rng: random.Random, shape: Shape) -> str | None:
    note = shape.vmcoreinfo
    if note is None:
        return None
    note.desc = rng.choice(
        (b"", b"\n", b"\0", b"OSRELEASE=", b"OSRELEASE=\n", b"OSRELEASE=6.1.0", b"OSRELEASE=6.1.0\n",
         b"PAGESIZE=4096\n", b"garbage", b"OSRELEASE=6.1.0\nPAGESIZE=4096\n",
         b"OSRELEASE=6.1.0\0PAGESIZE=4096\0", bytes(4096), b"\xff" * 100,
         b"PAGESIZE=4096\nSYMBOL(swapper_pg_dir)=c0\n",
         b"XOSRELEASE=6.1.0\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)=c0\n")
    )  # fmt: skip
    return str(note.desc[:60])


@text(6)
def changed_bytes(rng: random.Random, shape: Shape) -> str | None:
    """Change a few random bytes of the text."""
    note = shape.vmcoreinfo
    if note is None or not note.desc:
        return None
    data = bytearray(note.desc)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        data[rng.randrange(len(data))] = rng.choice((rng.randrange(256), 0, 10, 61, 32, 48))
    note.desc = bytes(data)
    return ""
