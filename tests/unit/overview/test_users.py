from __future__ import annotations

from farm.overview.users import endings, listed, role_words
from farm.spec.wire import TokenInfo

NOW_S = 1_800_000_000.0
DAY_S = 86_400.0


def a_token(name, role="submit", days=None):
    return TokenInfo(
        token_id=f"{len(name):012x}",
        name=name,
        role=role,
        created_s=0.0,
        expires_s=None if days is None else NOW_S + days * DAY_S,
    )


def test_who_may_do_what_is_told_once_each_the_strongest_first():
    tokens = [
        a_token("bob"),
        a_token("ann", "submit", 30),
        a_token("ann"),
        a_token("carl", "read"),
        a_token("eve", "admin"),
        a_token("gone", "admin", -1),
    ]

    assert role_words(tokens, now_s=NOW_S) == "admin eve; submit ann, bob; read carl"
    assert role_words([], now_s=NOW_S) == "nobody has a token"


def test_very_many_names_are_not_all_told():
    assert listed(f"user{at:02}" for at in range(20)).endswith("user07 and 12 more")


def test_tokens_that_expire_soon_are_told_the_first_one_first():
    tokens = [a_token("later", days=13), a_token("soon", days=1), a_token("fine", days=15),
              a_token("over", days=-1), a_token("never")]  # fmt: skip

    assert [sentence for sentence, _ in endings(tokens, now_s=NOW_S)] == [
        "the token of soon expires in 1 day",
        "the token of later expires in 13 days",
    ]
    assert next(endings(tokens, now_s=NOW_S))[1] == "farm token change 000000000004 --expires 1y"
