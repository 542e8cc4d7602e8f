"""Real workers whose storage is a bucket; the renderer is a stand-in."""

from __future__ import annotations

from farm.ledger import JobState, TaskState
from farm.storage import open_storage
from tests.support.farms.whole_farm import VIEWS, kill
from tests.support.places import bucket_environment
from tests.support.waiting import wait_for


def test_a_job_is_rendered_into_a_bucket_although_a_renderer_is_killed(farm, s3_place, s3_endpoint):
    farm.tell("hold-2")
    farm.start_worker(
        FARM_STORAGE=s3_place, STAND_IN_FOLDER=str(farm.storage), **bucket_environment(s3_endpoint)
    )
    farm.add_job(tasks=5)
    kill(farm.wait_started(2))
    farm.wait_started(2, attempt=2)
    farm.free("hold-2")

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 5}
    storage = open_storage(s3_place)
    assert len(list(storage.keys("vases"))) == 5 * VIEWS
    wait_for(lambda: len(list(storage.keys("jobs/job/log"))) == 6, "the logs of all attempts")
    assert b"process died" in storage.get("jobs/job/log/vase-studio-0002.1.log")
    assert b"task done" in storage.get("jobs/job/log/vase-studio-0002.2.log")
