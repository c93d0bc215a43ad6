"""What was picked on a map is found again by its token, in any browser."""

import os
from pathlib import Path

import pytest

from mess.errors import MessError
from mess.records.selection import MOST_ROWS
from mess.storage import selections
from mess.storage.store import Store


def test_a_selection_has_one_token_and_is_read_by_it(tmp_path: Path) -> None:
    files = Store(tmp_path).selections
    rows = ["a", "b@3", "ü/../x"]
    token = files.keep("mine", rows)
    assert files.keep("mine", rows) == token
    assert files.keep("mine", rows[::-1]) != token
    assert Store(tmp_path).selections.read("mine", token) == rows


@pytest.mark.parametrize("token", ["", "0123456789abcdef", "../../baskets/mine", "x" * 16])
def test_another_token_is_no_way_to_a_file(tmp_path: Path, token: str) -> None:
    files = Store(tmp_path).selections
    files.keep("mine", ["a"])
    with pytest.raises(MessError, match="draw around the points again"):
        files.read("mine", token)


def test_a_damaged_selection_and_one_of_another_dataset_are_not_read(tmp_path: Path) -> None:
    files = Store(tmp_path).selections
    token = files.keep("mine", ["a"])
    with pytest.raises(MessError):
        files.read("other", token)
    files.path("mine", token).write_text("{")
    with pytest.raises(MessError):
        files.read("mine", token)


def test_the_newest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selections, "MOST_KEPT", 2)
    files = Store(tmp_path).selections
    first = files.keep("mine", ["0"])
    second = files.keep("mine", ["1"])
    for age, token in ((30, first), (20, second)):
        path = files.path("mine", token)
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    files.keep("mine", ["0"])  # it is used, so it is newer
    third = files.keep("mine", ["2"])
    assert files.read("mine", first) == ["0"]
    assert files.read("mine", third) == ["2"]
    with pytest.raises(MessError):
        files.read("mine", second)


def test_too_many_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MessError, match="draw around fewer points"):
        Store(tmp_path).selections.keep("mine", ["a"] * (MOST_ROWS + 1))
