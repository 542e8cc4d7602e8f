from __future__ import annotations

import os

import pytest

from farm import products
from farm.errors import ProductError, RenderError
from farm.spec.task import Need, product_key
from farm.storage import open_storage
from tests.support.baking import keep

PRODUCT = product_key("drop", 7)
NEED = Need(product=PRODUCT, made_by=3)


@pytest.fixture
def storage(place):
    return open_storage(place)


@pytest.fixture
def made(tmp_path):
    """A folder as a recipe leaves it; two of its files are alike."""
    folder = tmp_path / "made"
    (folder / "cache" / "empty").mkdir(parents=True)
    (folder / "poses.json").write_bytes(b"[1, 2]")
    (folder / "cache" / "one").write_bytes(b"frame")
    (folder / "cache" / "two").write_bytes(b"frame")
    return folder


def contents(folder) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def fetched(storage, tmp_path) -> dict[str, bytes]:
    products.fetch(storage, NEED, tmp_path / "here")
    return contents(tmp_path / "here")


def test_what_is_fetched_is_what_was_made(storage, made, tmp_path):
    keep(storage, PRODUCT, made)

    assert fetched(storage, tmp_path) == contents(made)
    assert products.is_whole(storage, PRODUCT)
    assert products.is_sound(storage, PRODUCT)


def test_twice_is_once_and_the_first_one_stays(storage, made, tmp_path):
    keep(storage, PRODUCT, made)
    (made / "poses.json").write_bytes(b"[1, 3]")
    keep(storage, PRODUCT, made)

    assert fetched(storage, tmp_path)["poses.json"] == b"[1, 2]"


def test_nothing_is_to_be_seen_before_it_is_sealed(storage, made):
    manifest = products.bring(storage, PRODUCT, made)
    assert not products.is_whole(storage, PRODUCT)

    products.seal(storage, PRODUCT, manifest)
    assert products.is_sound(storage, PRODUCT)


def test_a_damaged_product_is_replaced(storage, made, tmp_path):
    keep(storage, PRODUCT, made)
    for file in products.read_manifest(storage, PRODUCT).files:
        storage.put(f"{PRODUCT}/{file.sha256}", b"x" * file.size_bytes)
    assert not products.is_sound(storage, PRODUCT)
    with pytest.raises(ProductError, match=r"is damaged .* task 3 makes it again"):
        products.fetch(storage, NEED, tmp_path / "damaged")
    keep(storage, PRODUCT, made)

    assert fetched(storage, tmp_path) == contents(made)


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(None, id="none"),
        pytest.param(b"{", id="cut"),
        pytest.param(b'{"files": []}', id="empty"),
        pytest.param(
            b'{"files": [{"path": "../a", "sha256": "' + b"0" * 64 + b'", "size_bytes": 1}]}',
            id="leads out",
        ),
        pytest.param(
            b'{"files": [{"path": "a", "sha256": "' + b"0" * 64 + b'", "size_bytes": 1}]}',
            id="file gone",
        ),
    ],
)
def test_a_product_that_is_not_whole_is_gone(storage, tmp_path, manifest):
    if manifest is not None:
        storage.put(f"{PRODUCT}/product.json", manifest)

    assert not products.is_whole(storage, PRODUCT)
    with pytest.raises(ProductError, match="is gone; task 3 makes it again"):
        products.fetch(storage, NEED, tmp_path / "here")


@pytest.mark.parametrize("what", ["nothing", "a link", "a pipe"])
def test_what_is_not_made_of_files_is_refused(storage, tmp_path, what):
    folder = tmp_path / "made"
    folder.mkdir()
    if what == "a link":
        (folder / "x").symlink_to("/etc/hostname")
    elif what == "a pipe":
        os.mkfifo(folder / "x")

    with pytest.raises(RenderError, match=r"left its folder empty|not a file"):
        keep(storage, PRODUCT, folder)
    assert list(storage.keys(products.FOLDER)) == []


def test_only_old_products_that_nobody_needs_are_unused(storage, made):
    other = product_key("other")
    for product in (PRODUCT, other):
        keep(storage, product, made)

    assert list(products.unused(storage, {PRODUCT}, older_than_s=-60)) == [other]
    assert list(products.unused(storage, {PRODUCT}, older_than_s=3600)) == []
    products.remove(storage, other)
    assert {products.product_of(entry) for entry in storage.entries(products.FOLDER)} == {PRODUCT}
