from __future__ import annotations

import os

import pytest

shared = pytest.importorskip("worker.courier.shared_folder")


@pytest.fixture
def cached(tmp_path):
    """An asset in a cache: a file of its own, and one of a library that is linked to."""
    root = tmp_path / "cache" / "content"
    (root / "up" / "textures").mkdir(parents=True)
    (root / "up" / "vase.blend").write_bytes(b"vase")
    (tmp_path / "blob").write_bytes(b"wood")
    (root / "up" / "textures" / "wood.png").symlink_to(tmp_path / "blob")
    return root


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_an_asset_stands_on_the_tray_without_links_that_lead_away(tmp_path, cached):
    served = shared.new_shared_folder(tmp_path / "cache").serve("content", cached)

    assert files(served) == {"up/vase.blend", "up/textures/wood.png"}
    assert (served / "up" / "textures" / "wood.png").read_bytes() == b"wood"
    assert not any(path.is_symlink() for path in served.rglob("*"))


def test_its_bytes_are_not_copied_where_the_file_system_can_do_without(tmp_path, cached):
    served = shared.new_shared_folder(tmp_path / "cache").serve("content", cached)

    assert (served / "up" / "textures" / "wood.png").samefile(tmp_path / "blob")


def test_what_a_renderer_could_write_is_a_copy(tmp_path, cached):
    ours = shared.new_shared_folder(tmp_path / "cache", written=[tmp_path])
    served = ours.serve("content", cached)

    (served / "up" / "textures" / "wood.png").write_bytes(b"changed")
    assert (tmp_path / "blob").read_bytes() == b"wood"


def test_what_no_task_needs_any_more_is_gone_and_the_rest_stays(tmp_path, cached):
    ours = shared.new_shared_folder(tmp_path / "cache")
    first, second = (ours.serve(name, cached) for name in ("first", "second"))

    ours.keep_only({"second", "third"})

    assert not first.exists()
    assert files(second) == files(cached)


def test_what_was_served_is_served_again_only_where_something_is_missing(tmp_path, cached):
    ours = shared.new_shared_folder(tmp_path / "cache")
    served = ours.serve("content", cached)
    before = (served / "up").stat().st_ino

    assert (ours.serve("content", cached) / "up").stat().st_ino == before
    (served / "up" / "vase.blend").unlink()
    assert files(ours.serve("content", cached)) == files(cached)


def test_trays_of_the_dead_are_removed_and_those_of_the_living_stay(tmp_path, cached):
    alive, dead = (shared.new_shared_folder(tmp_path / "cache") for _ in range(2))
    for each in (alive, dead):
        each.serve("content", cached)
    os.close(dead.lock)

    shared.new_shared_folder(tmp_path / "cache")

    assert alive.folder.is_dir()
    assert not dead.folder.exists()
