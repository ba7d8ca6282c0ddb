"""Test the order of the folders in docs/architecture.md, and the sizes."""

from __future__ import annotations

from tests import house


def test_every_folder_is_in_the_table_with_its_own_sentence() -> None:
    packages = {name.removesuffix("/__init__.py") for name in house.modules() if name.endswith("/__init__.py")}
    assert house.folders() == {folder: house.sentence(folder) for folder in house.folders()}
    assert set(house.folders()) == packages == {name.rpartition("/")[0] for name in house.modules() if "/" in name}


def test_every_import_runs_up_the_table() -> None:
    assert house.against_the_order() == []


def test_no_files_import_each_other() -> None:
    assert house.circles() == []


def test_the_top_level_holds_folders_only() -> None:
    assert {name for name in house.modules() if "/" not in name} == {"__init__.py", "__main__.py"}


def test_folders_and_files_are_small() -> None:
    assert {folder: count for folder, count in house.files_of_folders().items() if count > house.FILES_LIMIT} == {}
    assert {name: count for name, count in house.lengths().items() if count > house.LINES_LIMIT} == {}
