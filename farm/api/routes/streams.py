"""`/v1/streams`: views as they are rendered, for those who train on them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Response
from starlette.concurrency import run_in_threadpool

from farm.api import streams
from farm.api.routes.parameters import JobId
from farm.api.services import Caller, FarmServices
from farm.feeding.answer import MEDIA_TYPE, write_answer
from farm.feeding.asking import Pull
from farm.spec.stream import MOST_SENT, Sent, StreamState
from farm.spec.wire import StreamInfo, StreamSubmission

router = APIRouter(prefix="/v1/streams", tags=["streams"])


@router.post("", status_code=201, summary="Begin a stream", responses={
    200: {"model": StreamInfo, "description": "The stream of that name exists already"},
})  # fmt: skip
def begin_stream(
    services: FarmServices, caller: Caller, submission: StreamSubmission, response: Response
) -> StreamInfo:
    """As for a job, every file must be in the library first."""
    info, new = streams.begin(services, submission, caller)
    response.status_code = 201 if new else 200
    return info


@router.get("/{job_id}", summary="Show how a stream stands")
def show_stream(services: FarmServices, job_id: JobId) -> StreamState:
    """Its credits, what waits, and why its consumers get nothing."""
    return streams.state(services, job_id)


@router.get("/{job_id}/info", summary="Show what a stream is")
def show_info(services: FarmServices, job_id: JobId) -> StreamInfo:
    """What whoever takes part in it must know."""
    return streams.info(streams.find_stream(services, job_id))


@router.post("/{job_id}/samples", summary="Acknowledge samples and get more",
             response_class=Response, responses={200: {"content": {MEDIA_TYPE: {}}}})  # fmt: skip
async def pull_samples(services: FarmServices, job_id: JobId, asked: Pull) -> Response:
    """A head as JSON, then each sample; `docs/streams.md` has the layout."""
    await run_in_threadpool(streams.find_stream, services, job_id)
    found = await streams.pull(services, job_id, asked)
    body = await run_in_threadpool(write_answer, found)
    return Response(body, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


@router.post("/{job_id}/params", summary="Say what the next views are to show")
def send_params(
    services: FarmServices,
    job_id: JobId,
    sent: Annotated[tuple[Sent, ...], Body(min_length=1, max_length=MOST_SENT)],
) -> int:
    """Returns how many sets of parameters wait for their views."""
    return streams.send(services, job_id, sent)
