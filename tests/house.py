"""The house's own figures: which file imports which, the order of the packages, circles, sizes.

`python -m tests.house` prints them. The order is the table of docs/architecture.md: a package imports only from
itself and from those above it, whether at once, later in a function, or for types only; so does a folder in a
package among its siblings.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from tests.paths import DOCS, ROOT

PACKAGE: Final = ROOT / "vmci_tui"
PAGE: Final = DOCS / "architecture.md"
FILES_LIMIT, LINES_LIMIT, FEW_LINES = 16, 400, 40
"""The most files of a folder, the most lines of a file, and the lines below which a file is short."""
_ROW: Final = re.compile(r"^\| `([\w/]+)/` \| (.+?) \|$", re.MULTILINE)


class Arrow(NamedTuple):
    """One file that imports another, each by its path in `vmci_tui/`."""

    source: str
    target: str


@cache
def modules() -> dict[str, Path]:
    """Return every Python file of the package by its path in `vmci_tui/`, sorted."""
    found = sorted(PACKAGE.rglob("*.py"))
    return {path.relative_to(PACKAGE).as_posix(): path for path in found}


def folders() -> dict[str, str]:
    """Return the sentence of each folder of the table, in its order; a folder by its path in `vmci_tui/`."""
    return dict(_ROW.findall(PAGE.read_text()))


def sentence(folder: str) -> str:
    """Return the first line of a folder's docstring; "" without one."""
    said = ast.get_docstring(ast.parse((PACKAGE / folder / "__init__.py").read_text())) or ""
    return said.partition("\n")[0]


def file_of(name: str) -> str | None:
    """Return the file of a module or package `vmci_tui...`; None for a name that is neither."""
    path = "/".join(name.split(".")[1:])
    return next((file for file in (f"{path}.py", f"{path}/__init__.py".lstrip("/")) if file in modules()), None)


@cache
def arrows() -> frozenset[Arrow]:
    """Return all imports as pairs of files, lazy and typing ones too, without the packages on a module's own path."""
    return frozenset(Arrow(name, target) for name, path in modules().items() for target in _imported(path, name))


def _imported(path: Path, name: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "vmci_tui":
            wanted = [file_of(f"{node.module}.{item.name}") or file_of(str(node.module)) for item in node.names]
        elif isinstance(node, ast.Import):
            wanted = [file_of(item.name) for item in node.names]
        else:
            continue
        yield from (target for target in wanted if target not in (None, name))


def parted(arrow: Arrow) -> tuple[str, str] | None:
    """Return the two sibling folders in which the files are; None where one's folder holds the other's."""
    source, target = (file.split("/")[:-1] for file in arrow)
    same = next((at for at, (one, other) in enumerate(zip(source, target, strict=False)) if one != other), None)
    return None if same is None else ("/".join(source[: same + 1]), "/".join(target[: same + 1]))


def against_the_order() -> list[Arrow]:
    """Return the arrows that run down: from a folder to a sibling below it in the table."""
    order = {folder: at for at, folder in enumerate(folders())}
    pairs = ((arrow, parted(arrow)) for arrow in arrows())
    return sorted(arrow for arrow, pair in pairs if pair is not None and order[pair[1]] > order[pair[0]])


def circles() -> list[list[str]]:
    """Return the groups of files that import each other, by Tarjan's algorithm without recursion."""
    after: dict[str, list[str]] = {name: [] for name in modules()}
    for source, target in sorted(arrows()):
        after[source].append(target)
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []
    for start in after:
        work = [] if start in number else [(start, iter(after[start]))]
        while work:
            name, rest = work[-1]
            if name not in number:
                number[name] = low[name] = len(number)
                stack.append(name)
            step = next(rest, None)
            if step is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == number[name]:
                    at = stack.index(name)
                    group, stack[at:] = stack[at:], []
                    found += [sorted(group)] if len(group) > 1 else []
            elif step not in number:
                work.append((step, iter(after[step])))
            elif step in stack:
                low[name] = min(low[name], number[step])
    return found


def lengths() -> dict[str, int]:
    """Return the lines of each file."""
    return {name: len(path.read_text().splitlines()) for name, path in modules().items()}


def files_of_folders() -> Counter[str]:
    """Return the number of files directly in each folder, without `__init__`."""
    return Counter(name.rpartition("/")[0] for name in modules() if not name.endswith("__init__.py"))


def main() -> None:
    """Print the figures."""
    table = folders()
    packages = [name for name in table if "/" not in name]
    long = {name: count for name, count in lengths().items() if count > LINES_LIMIT}
    short = [name for name, count in lengths().items() if count < FEW_LINES and not name.endswith("__init__.py")]
    crowded = {folder: count for folder, count in files_of_folders().items() if count > FILES_LIMIT}
    print(f"{len(modules())} files, {sum(lengths().values())} lines, {len(packages)} packages, {len(table)} folders")
    print(f"{len(arrows())} imports, {len(against_the_order())} against the order, {len(circles())} circles")
    print(f"{len(crowded)} folders with more than {FILES_LIMIT} files {crowded or ''}")
    print(f"{len(long)} files with more than {LINES_LIMIT} lines {long or ''}")
    print(f"{len(short)} files with less than {FEW_LINES} lines: {', '.join(short)}")
    for group in circles():
        print(f"circle: {', '.join(group)}")
    for arrow in against_the_order():
        print(f"against the order: {arrow.source} imports {arrow.target}")


if __name__ == "__main__":
    main()
