"""Test what a prompt for a file lists, and how it completes a path."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.paths import SAMPLES
from vmci_tui.opening import folder_listing
from vmci_tui.opening.folder_listing import FolderItem, completed, list_folder, matching, parted

_NAMES = tuple(map(FolderItem, ("vmcore", "vmcore-big", "Vmlinux", ".hidden", "b\x1b[31m")))


def test_files_to_open_come_first_then_folders_and_no_device(tmp_path: Path) -> None:
    for name in ("crlf.elf", "good.entry", "two-halves.write.json", "i386-qemu.kdump", "arm64.txt"):
        shutil.copy(SAMPLES / name, tmp_path)
    (tmp_path / "a-folder").mkdir()
    shutil.copy("/bin/true", tmp_path / "a-program")  # an ELF file, but not a dump
    (tmp_path / "gone").symlink_to("/no/such/file")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").write_bytes(b"")
    found = list_folder(f"{tmp_path}/")
    assert [(item.name, item.kind, item.is_folder) for item in found.items] == [
        ("crlf.elf", "dump", False), ("good.entry", "entry", False), ("i386-qemu.kdump", "dump", False),
        ("two-halves.write.json", "writes", False), ("a-folder", "", True), ("a-program", "", False),
        ("arm64.txt", "", False), ("empty", "", False),
    ]  # fmt: skip
    assert found.items[1].size == 16 and found.trouble is None


def test_the_current_and_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert list_folder("") == list_folder("~/") and [item.name for item in list_folder("").items] == ["mine"]


def test_a_folder_that_cannot_be_listed_says_why(tmp_path: Path) -> None:
    for folder, words in ((f"{tmp_path}/gone/", "no such file"), ("a\0b/", "holds a NUL")):
        found = list_folder(folder)
        assert not found.items and found.trouble is not None and words in found.trouble


def test_a_large_folder_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_listing, "_MOST", 3)
    for number in range(5):
        (tmp_path / f"{number}").touch()
    found = list_folder(str(tmp_path))
    assert len(found.items) == 3 and found.trouble is not None and "first 3 names" in found.trouble


@pytest.mark.parametrize(
    ("typed", "folder", "name"),
    [("", "", ""), ("vm", "", "vm"), ("/", "/", ""), ("/a/b", "/a/", "b"), ("a/", "a/", "")],
)
def test_the_folder_and_the_name_of_a_typed_path(typed: str, folder: str, name: str) -> None:
    assert parted(typed) == (folder, name)


@pytest.mark.parametrize(
    ("start", "names", "complete"),
    [
        ("", ["vmcore", "vmcore-big", "Vmlinux", "b\x1b[31m"], ""),
        ("vm", ["vmcore", "vmcore-big", "Vmlinux"], "vm"),
        ("vmc", ["vmcore", "vmcore-big"], "vmcore"),
        ("vmcore-big", ["vmcore-big"], "vmcore-big"),
        ("V", ["Vmlinux"], "Vmlinux"),
        (".", [".hidden"], ".hidden"),
        ("b", ["b\x1b[31m"], "b"),  # a name that cannot be typed
        ("x", [], "x"),
    ],
)
def test_names_that_begin_as_typed(start: str, names: list[str], complete: str) -> None:
    found = matching(_NAMES, start)
    assert [item.name for item in found] == names and completed(found, start) == complete


def test_the_exact_name_comes_first_and_a_folder_gets_its_slash() -> None:
    found = matching((FolderItem("vmcore-big"), FolderItem("vmcore", is_folder=True)), "vmcore")
    assert [item.name for item in found] == ["vmcore", "vmcore-big"]
    assert completed(found[:1], "vm") == "vmcore/"
