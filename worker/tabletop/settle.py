"""How the things of a scene come to rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from farm.errors import UnsettledError
from farm.spec.camera import IDENTITY
from farm.spec.recipes.tabletop import Placement, Settled, Setup
from farm.spec.task import RenderTask
from worker.tabletop.bodies import Body
from worker.tabletop.dropping import drop
from worker.tabletop.placing import place
from worker.tabletop.relations import relations
from worker.tabletop.resting import Contacts, Failure, contacts_of, fault, lifted
from worker.tabletop.sizes import scale_of
from worker.tabletop.standing import standing
from worker.tabletop.tops import Table, table_of

if TYPE_CHECKING:  # which imports Blender
    from worker.blender.session import BlenderSession

MOST_NAMES = 5
"""Things that a sentence names."""


def settle(task: RenderTask, session: BlenderSession) -> Settled:
    """Let the things of a scene come to rest.

    Raises:
        AssetError: One of them cannot: it has no inside, or a size that cannot be.
        UnsettledError: They do not, however they are let go.
    """
    assert isinstance(task.setup, Setup)
    setup = task.setup
    assets, _ = standing(task, session)
    *solids, ground = session.solids((*assets[1:], assets[0]), falls=len(assets) - 1)
    table = table_of(ground)
    names = [asset.title for asset in assets[1:]]
    bodies = [
        Body(
            solid,
            name,
            scale_of(solid, prop.words, setup.scale, table_m=table.top_m),
            np.eye(3),
            np.zeros(3),
            number,
            floats=not prop.falls,
            stands=bool(prop.words and prop.words.stands),
        )
        for number, (solid, name, prop) in enumerate(zip(solids, names, setup.props, strict=True))
    ]
    failures: list[Failure] = []
    for number, draw in enumerate(setup.draws):
        found = at_rest(setup, bodies, on_table(draw, setup, table), table, session)
        if not isinstance(found, Failure):
            return settled(*found, table, setup, number)
        failures.append(found)
    raise UnsettledError(sentence(failures, setup))


def at_rest(
    setup: Setup,
    bodies: Sequence[Body],
    draw: Sequence[Placement],
    table: Table,
    session: BlenderSession,
) -> tuple[list[Body], Contacts] | Failure:
    """Return the things of one draw at rest, and where they touch."""
    placed = setup.arrangement == "place"
    found = place(bodies, draw, table) if placed else drop(bodies, draw, table, session.let_fall)
    if isinstance(found, Failure):
        return found
    if not placed:
        found = lifted(found, table)
    contacts = contacts_of(found, table)
    return fault(found, table, contacts) or (found, contacts)


def on_table(draw: Sequence[Placement], setup: Setup, table: Table) -> list[Placement]:
    """Return a draw with places on the table as large as it really is."""
    x, y = (real / drawn for real, drawn in zip(table.top_m, setup.surface.size_m, strict=True))
    return [
        at.model_copy(update={"at_m": (at.at_m[0] * x, at.at_m[1] * y, at.at_m[2])}) for at in draw
    ]


def settled(
    bodies: Sequence[Body], contacts: Contacts, table: Table, setup: Setup, draw: int
) -> Settled:
    """Return how a scene stands."""
    surface = IDENTITY if setup.surface.asset is None else table.body.world_from_file
    return Settled(surface=surface, props=relations(bodies, contacts), draw=draw)


def sentence(failures: Sequence[Failure], setup: Setup) -> str:
    """Say why none of a scene's draws came to rest, and what to do."""
    reasons = Counter(each.reason for each in failures)
    reason = reasons.most_common(1)[0][0]
    names = Counter(name for each in failures if each.reason == reason for name in each.names)
    told = ", ".join(name for name, _ in names.most_common(MOST_NAMES))
    more = " and others" if len(names) > MOST_NAMES else ""
    done = "put" if setup.arrangement == "place" else "let fall"
    return (
        f"its {len(setup.props)} things were {done} {len(failures)} times, and each time some "
        f"{reason}, mostly {told}{more}: have fewer or smaller things in a scene (per_scene), a "
        "larger table (table_m), or more scene_tries"
    )
