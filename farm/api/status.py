"""The farm at one moment, in one answer."""

from __future__ import annotations

from collections import Counter

from farm.api import workers
from farm.api.access.owners import is_admin, seen_jobs
from farm.api.access.token_rules import seen_tokens
from farm.api.services import Services
from farm.spec.wire import FarmStatus, Taken, TokenInfo


def farm_status(services: Services, caller: TokenInfo) -> FarmStatus:
    """Return the state of the farm, as far as somebody may know of it."""
    admin = is_admin(caller)
    crew = workers.list_workers(services.ledger)
    return FarmStatus(
        you=caller,
        taken=taken(services, caller),
        shared=services.settings.shared,
        tokens=seen_tokens(services, caller),
        storage=services.fill.look(),
        jobs=Counter(job.state.value for job in seen_jobs(services, caller)),
        workers=len(crew),
        quarantine=tuple(f"{one.name}: {one.quarantine}" for one in crew if one.quarantine),
        drained=tuple(f"{one.name}: {one.drained}" for one in crew if one.drained),
        datasets=services.datasets_look() if admin else None,
    )


def taken(services: Services, caller: TokenInfo) -> Taken:
    """Return what somebody takes of the farm."""
    quotas = services.quotas
    return Taken(
        total_bytes=quotas.usage(caller.name).total_bytes,
        quota_bytes=quotas.bytes_of(caller),
        views_today=services.holdings.views_today(caller.name),
        views_per_day=quotas.views_of(caller),
    )
