"""`ATTRIBUTION.md` names every asset, its author and its licence."""

from __future__ import annotations

import pytest

from farm.dataset.records.assets import AssetSummary
from farm.dataset.records.attribution import attribution, licence
from farm.spec.asset import AssetKind, Credit


def a_summary(
    name: str = "7bea2b93.blend", *, kind: AssetKind = "model", **credit: str
) -> AssetSummary:
    return AssetSummary(
        kind=kind, role=f"{kind}s", id="x", name=name, sha256="ab" * 32, credit=Credit(**credit),
        views=3,
    )  # fmt: skip


def test_all_that_a_licence_asks_for_is_there():
    chair = a_summary(
        name="7bea2b93.blend", author="Ada", licence="cc_zero", source="blenderkit",
        source_id="7bea2b93", version="8c2e", url="https://example.org/7bea2b93/",
        fetched="2026-11-20T10:00:00+00:00",
    )  # fmt: skip

    told = attribution("chairs", [chair, a_summary("sky.exr", kind="hdr")])

    assert (
        "- [7bea2b93.blend](<https://example.org/7bea2b93/>) by Ada, licensed "
        "[CC0 1.0](<https://creativecommons.org/publicdomain/zero/1.0/>), from blenderkit "
        "7bea2b93 version 8c2e, fetched 2026-11-20 (`7bea2b93.blend`, SHA-256 `" + "ab" * 32
    ) in told
    assert "- sky.exr by an unknown author, licence not known" in told
    assert "The licence of 1 of these assets is not known" in told


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
        ("cc_by_sa_3.0", "https://creativecommons.org/licenses/by-sa/3.0/"),
        ("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("royalty_free", "https://www.blendkit.com/docs/licenses/"),
        ("my own", None),
    ],
)
def test_a_known_licence_is_linked(name, url):
    assert licence(name).url == url


def test_a_strangers_words_stay_words():
    trick = a_summary(author="[x](http://evil) `a`\n# b", url="javascript:alert(1)", licence="l")

    told = attribution("d", [trick])

    assert r"\[x\](http://evil) \`a\` \# b" in told
    assert "javascript" not in told
