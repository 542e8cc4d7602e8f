import shutil

import pytest

from farm.local.plan.objections import WEEK_S, too_large, too_long
from farm.storage import free_bytes


@pytest.fixture
def small_disk(monkeypatch):
    """A disk with 5 GB free."""
    real = shutil.disk_usage
    monkeypatch.setattr(
        "farm.storage.room.shutil.disk_usage",
        lambda path: real(path)._replace(free=5_000_000_000),
    )


def test_what_does_not_fit_is_said_with_both_sizes(tmp_path, small_disk):
    folder = tmp_path / "not" / "there" / "yet"

    assert too_large(5_000_000_000, folder) is None
    assert too_large(24_000_000_000_000, folder) == (
        f"about 24.0 TB does not fit into the 5.0 GB free at {folder}"
    )


def test_a_file_where_the_folder_would_be_is_on_the_same_disk(tmp_path):
    (tmp_path / "file").write_text("x")

    assert free_bytes(tmp_path / "file" / "out") == pytest.approx(free_bytes(tmp_path), rel=0.1)


def test_where_the_system_does_not_say_nothing_is_claimed(tmp_path, monkeypatch):
    def refuse(_path):
        raise PermissionError

    monkeypatch.setattr("farm.storage.room.shutil.disk_usage", refuse)

    assert too_large(10**18, tmp_path) is None


def test_more_than_a_week_is_said():
    assert too_long(WEEK_S) is None
    assert too_long(None) is None
    assert too_long(18_039 * 86_400.0) == "roughly 18,039 d is longer than a week"
