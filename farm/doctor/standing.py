"""Who may do what on the farm, who is in quarantine, and which datasets need a look."""

from __future__ import annotations

import time
from collections.abc import Iterator

from farm.doctor.farm import whereabouts
from farm.doctor.finding import Finding, fine, problem, warning
from farm.doctor.machine import installed
from farm.errors import FarmError
from farm.storage import Storage, open_storage

TOLD = 10
RECORDS_BYTES = 256 << 20
FILES = 20_000
SECONDS = 60.0


def tokens() -> Iterator[Finding]:
    """Report who may do what, and whose token expires soon or never."""
    from farm.overview.users import endings, listed, role_words
    from farm.tokens import TokenBook

    kept = _kept()
    if kept is None:
        return
    try:
        known = list(TokenBook(kept).list())
    except FarmError as error:
        yield problem("tokens", str(error), "check that the storage can be read")
        return
    now_s = time.time()
    yield fine("tokens", role_words(known, now_s=now_s))
    for sentence, remedy in endings(known, now_s=now_s):
        yield warning("tokens", sentence, remedy)
    over = {info.name for info in known if info.expires_s is not None and info.expires_s <= now_s}
    if over:
        yield fine("tokens", f"expired: {listed(over)}; farm token list shows them")


def quarantine() -> Iterator[Finding]:
    """Report the workers that get no tasks, and why: by themselves, or because somebody said so."""
    url = whereabouts().redis_url
    if url is None or installed("redis") is None:
        return
    from farm.ledger import open_ledger
    from farm.ledger.waiting import drain_words, quarantine_words

    try:
        ledger = open_ledger(url)
        now_s, workers = ledger.now_s(), ledger.workers()
    except FarmError:
        return  # the check of Redis tells of that
    shut = [(worker.info.get("name", ""), worker.quarantine) for worker in workers]
    for name, why in shut:
        if why is not None:
            remedy = "see the worker's log; it is tried again by itself once it renders a proof"
            yield warning("workers", f"{name}: {quarantine_words(why, now_s)}", remedy)
    for worker in workers:
        if worker.drain is not None:
            told = f"{worker.info.get('name', '')}: {drain_words(worker.drain)}"
            yield fine("workers", f"{told}; farm workers undrain lets it take tasks again")
    if all(why is None for _, why in shut):
        yield fine("workers", f"{len(shut)} alive, none in quarantine")


def datasets() -> Iterator[Finding]:
    """Look for datasets within datasets, and for damaged parts."""
    from farm.overview.datasets import Look, datasets_words

    kept = _kept()
    if kept is None:
        return
    try:
        found = Look(kept, records_bytes=RECORDS_BYTES, files=FILES, seconds=SECONDS).all()
    except FarmError as error:
        yield problem("datasets", str(error), "check that the storage can be read")
        return
    if not found.troubles:
        yield fine("datasets", datasets_words(found))
    for trouble in found.troubles[:TOLD]:
        remedy = (
            "move it into a folder of its own"
            if trouble.kind == "nested"
            else f"farm dataset verify {kept.place}/{trouble.dataset} shows what"
        )
        yield warning("datasets", f"{trouble.dataset} {trouble.sentence}", remedy)
    if len(found.troubles) > TOLD:
        yield warning("datasets", datasets_words(found), "mend the first ones and look again")


def _kept() -> Storage | None:
    """Return the farm's storage; None where there is none, which the check of it tells."""
    place = whereabouts().storage
    try:
        return open_storage(place) if place else None
    except FarmError:
        return None
