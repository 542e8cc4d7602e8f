"""What a job's owner should know though nothing has failed: textures that lack, licences."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from farm.api.services import Services
from farm.dataset.records.attribution import licence
from farm.spec.asset import Asset
from farm.spec.counted import counted
from farm.spec.job import Job
from farm.spec.wire import Remark
from farm.tallies.model import Tally

MOST = 50
"""Most remarks on a job."""
NAMED = 5
"""Most files that a remark names."""
FORBIDS = (
    (
        re.compile(r"\bND\b|no[- ]?deriv", re.IGNORECASE),
        "does not allow that changed versions are passed on; pictures of it may count as such",
    ),
    (
        re.compile(r"\bNC\b|non[- ]?commercial|personal use", re.IGNORECASE),
        "does not allow commercial use",
    ),
    (re.compile(r"editorial", re.IGNORECASE), "allows editorial use alone"),
    (re.compile(r"no[- ]?ai\b", re.IGNORECASE), "does not allow that models are trained on it"),
    (re.compile(r"all rights reserved", re.IGNORECASE), "allows nothing without its author's word"),
)
"""What a licence's own words forbid that datasets are made for."""


def remarks(services: Services, job: Job) -> tuple[Remark, ...]:
    """Return what is to be known of a job's assets, as far as the farm knows."""
    return tuple(itertools.chain(texture_remarks(services, job), licence_remarks(job)))[:MOST]


def texture_remarks(services: Services, job: Job) -> Iterator[Remark]:
    """Yield which assets lack textures, as workers have told."""
    tally = services.tallies.read(job.job_id) if services.tallies else Tally()
    for asset, files in sorted(tally.missing.items()):
        more = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
        names = ", ".join(files[:NAMED])
        sentence = f"lacks {counted(len(files), 'texture')}: {names}{more}; there it is magenta"
        yield Remark(kind="texture", asset=asset, sentence=sentence)


def licence_remarks(job: Job) -> Iterator[Remark]:
    """Yield which assets have a licence that forbids something, or none that is known."""
    seen: set[tuple[str, str | None]] = set()
    for asset in job.assets:
        known = (asset.sha256, asset.credit.licence)
        if known in seen:
            continue
        seen.add(known)
        if asset.credit.licence and (why := forbids(asset)):
            yield Remark(kind="licence", asset=asset.name, sentence=why)


def forbids(asset: Asset) -> str | None:
    """Say what the licence of an asset forbids; None where it forbids nothing that is known."""
    title = licence(asset.credit.licence or "").title
    told = [sentence for pattern, sentence in FORBIDS if pattern.search(title)]
    return f"its licence, {title}, {' and '.join(told)}" if told else None
