"""Let workers end what they hold and take no more tasks; let them take tasks again."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from farm.api.access.auth import permit
from farm.api.problems import ApiProblem, not_found
from farm.api.services import Services
from farm.ledger import Ledger
from farm.ledger.model import node_of
from farm.spec.wire import DrainInfo, TokenInfo

log = logging.getLogger(__name__)

TOLD = 5


def drain(services: Services, caller: TokenInfo, name: str) -> DrainInfo:
    """Let a worker finish what it holds and take no more tasks; twice is once.

    Raises:
        ApiProblem: There is no such worker, several are called so, it is of a release that cannot
            be drained, or the caller may not.
    """
    permit(caller, "admin")
    node = find_node(services.ledger, name)
    refuse_old(services.ledger, node)
    services.ledger.drains.drain(node, by=caller.name)
    log.info("worker drained worker=%s by=%s", node, caller.name)
    tasks = held(services.ledger, node)
    then = f"; it finishes {', '.join(tasks)}" if tasks else "; it holds none"
    return DrainInfo(
        node=node, drained=True, tasks=tasks, sentence=f"{node} takes no more tasks{then}"
    )


def undrain(services: Services, caller: TokenInfo, name: str) -> DrainInfo:
    """Let a worker take tasks again.

    Raises:
        ApiProblem: There is no such worker, several are called so, or the caller may not.
    """
    permit(caller, "admin")
    node = find_node(services.ledger, name)
    was = services.ledger.drains.undrain(node)
    log.info("worker undrained worker=%s by=%s", node, caller.name)
    words = "takes tasks again" if was else "was not drained"
    tasks = held(services.ledger, node)
    return DrainInfo(node=node, drained=False, tasks=tasks, sentence=f"{node} {words}")


def held(ledger: Ledger, node: str) -> tuple[str, ...]:
    """Return what the workers of a node hold."""
    found = ledger.in_hand().items()
    return tuple(
        f"{ticket.job_id}/{ticket.index}"
        for worker, tickets in found
        if node_of(worker) == node
        for ticket in tickets
    )


def find_node(ledger: Ledger, name: str) -> str:
    """Return the node that somebody calls so: by worker, node, name, or host.

    Raises:
        ApiProblem: There is none, or there are several.
    """
    workers = [one.worker for one in (*ledger.workers(), *ledger.lost_workers())]
    nodes = {node_of(worker) for worker in workers} | ledger.drains.all().keys()
    if name in workers or name in nodes:
        return node_of(name)
    for at in (0, 2):
        found = sorted(node for node in nodes if node.partition("@")[at] == name)
        if len(found) == 1:
            return found[0]
        if found:
            raise ApiProblem(
                409, f"{name!r} is the name of {several(found)}", "say which: NAME@HOST"
            )
    raise not_found(f"worker {name[:80]!r}", "list the workers: farm workers")


def several(nodes: list[str]) -> str:
    """Return some names, and how many there are."""
    more = f" and {len(nodes) - TOLD} more" if len(nodes) > TOLD else ""
    return f"{len(nodes)} workers: {', '.join(nodes[:TOLD])}{more}"


def refuse_old(ledger: Ledger, node: str) -> None:
    """Refuse a node whose worker would go on taking tasks.

    Raises:
        ApiProblem: It is of a release that knows nothing of this.
    """
    mine: Iterable[float | None] = [
        one.up_s for one in ledger.workers() if node_of(one.worker) == node
    ]
    if any(up_s is None for up_s in mine):
        raise ApiProblem(
            409,
            f"{node} is of an earlier release, which cannot be drained",
            "stop it: it finishes the view in hand and hands back the rest; or upgrade it first",
        )
