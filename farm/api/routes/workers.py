"""`/v1/workers`: who lives, who was lost, who is to take no more tasks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from farm.api import workers
from farm.api.crew import draining
from farm.api.services import Caller, FarmServices
from farm.spec.wire import DrainInfo, LostWorker, WorkerInfo

router = APIRouter(prefix="/v1/workers", tags=["farm"])

WorkerName = Annotated[
    str, Path(max_length=300, description="A worker, its node (`name@host`), name, or host.")
]


@router.get("", summary="List the live workers")
def list_workers(services: FarmServices, caller: Caller) -> tuple[WorkerInfo, ...]:
    """With device, current task, speed, share of sampling, and what the GPU's driver measures."""
    return workers.seen_workers(services, caller)


@router.get("/lost", summary="List the workers that were lost")
def list_lost(services: FarmServices, caller: Caller) -> tuple[LostWorker, ...]:
    """Of the last day, the newest first, with what they held."""
    return workers.lost_workers(services, caller)


@router.post("/{name:path}/drain", summary="Let a worker take no more tasks")
def drain(services: FarmServices, caller: Caller, name: WorkerName) -> DrainInfo:
    """It finishes what it holds; needs the role `admin`."""
    return draining.drain(services, caller, name)


@router.post("/{name:path}/undrain", summary="Let a worker take tasks again")
def undrain(services: FarmServices, caller: Caller, name: WorkerName) -> DrainInfo:
    """Needs the role `admin`."""
    return draining.undrain(services, caller, name)
