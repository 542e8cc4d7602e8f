"""Leafing through the views of a job, as pages in browsers do."""

from __future__ import annotations

from typing import Any


def leafed(client: Any, job: str, **asked: object) -> list[dict[str, Any]]:
    """Return all cards that are found, answer by answer: a slow one is given before it is full."""
    cards: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = client.get(f"/v1/datasets/{job}/gallery", params=asked | cursor)
        assert answer.status_code == 200, answer.text
        cards += answer.json()["items"]
        if answer.json()["next"] is None:
            return cards
        cursor = {"cursor": answer.json()["next"]}
