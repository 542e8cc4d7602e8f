"""Silhouettes that only the renderer can tell: of leaves, hair and mist, each rendered alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from farm.projection import seen_shares
from farm.spec.record import CameraRecord
from worker.images.multilayer import read_index
from worker.labels.amodal import body_of
from worker.labels.objects import Thing
from worker.points.followed import Flags
from worker.recipes import Shot, Stage

if TYPE_CHECKING:  # which imports Blender
    from worker.blender.session import BlenderSession


def with_silhouettes(shot: Shot, stage: Stage, session: BlenderSession, *, alone: bool) -> Shot:
    """Return a shot that was rendered with what its things' silhouettes take.

    Args:
        shot: What was rendered.
        stage: What arranged it.
        session: What rendered it.
        alone: It shows one thing, whose mask is its silhouette.
    """
    if alone or not shot.things:
        return shot
    shot = replace(shot, clip=session.clip)
    if not stage.needs_silhouettes and "amodal" not in session.passes:
        return shot
    rendered = {
        place: rendered_alone(thing, shot.camera, session)
        for place, thing in enumerate(shot.things)
        if place not in shot.silhouettes and not is_told(thing, shot)
    }
    return replace(shot, silhouettes={**shot.silhouettes, **rendered})


def is_told(thing: Thing, shot: Shot) -> bool:
    """Tell whether triangles tell the silhouette of a thing."""
    body = body_of(thing, shot.bodies)
    return body is not None and body.whole


def rendered_alone(thing: Thing, camera: CameraRecord, session: BlenderSession) -> Flags:
    """Return the silhouette (H, W) of a thing as the renderer sees it."""
    found = read_index(session.render_alone(thing.indices)) > 0
    shares = seen_shares(camera, (found.shape[1], found.shape[0]))
    return np.asarray(found if shares is None else found & (shares >= 0.5))
