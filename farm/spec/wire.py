"""Messages between the API and its clients, as JSON."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import Field, JsonValue, model_validator

from farm.spec import release_0_1
from farm.spec.asset import Asset
from farm.spec.base import SHA256_PATTERN as SHA256_PATTERN
from farm.spec.base import Kept, Spec
from farm.spec.job import JobSpec
from farm.spec.job_name import JOB_ID_PATTERN as JOB_ID_PATTERN
from farm.spec.job_name import JobName
from farm.spec.left_out import is_empty, is_none
from farm.spec.record import ViewRecord
from farm.spec.role import Role
from farm.spec.stream import Encoding, StreamState, StreamWishes
from farm.spec.words import AssetWords

T = TypeVar("T")

Whole = Annotated[int, Field(ge=0, le=2**63 - 1)]
Seconds = Annotated[float, Field(allow_inf_nan=False)]

VERSION_HEADER = "Viewfarm-Version"
"""Every answer of the server says which version it is."""
EXPIRY_HEADER = "Viewfarm-Token-Expires-In"
"""Seconds that are left of the token which a request came with."""
SOON_S = 14 * 86_400.0
"""Time before its expiry from which on everybody who uses a token is told."""


Tone = Literal["rests", "runs", "troubled", "done"]
"""How something stands: an icon shows it."""


class Page(Spec, Generic[T]):
    """A part of a list."""

    items: tuple[T, ...]
    next: str | None = None
    """`cursor` of the next page; None on the last one."""


class Submission(Spec):
    """A spec with its assets: `POST /v1/jobs`."""

    spec: JobSpec
    assets: tuple[Asset, ...] = Field(min_length=1)
    priority: int = Field(default=0, ge=-100, le=100)
    """Higher goes first."""
    name: JobName | None = None
    """What its owner calls the job; submitting it again under another name renames it."""
    trace: bool = Field(default=False, exclude_if=is_empty)
    """Take down where the time of its tasks goes, in `traces/` of its datasets. A job that is there
    already stays as it is."""

    @model_validator(mode="before")
    @classmethod
    def _of_any_release(cls, data: Any) -> Any:
        return release_0_1.job_of(data)


class StreamSubmission(Submission):
    """A spec whose views are to be streamed: `POST /v1/streams`."""

    stream: StreamWishes
    """How."""


class StreamInfo(Spec):
    """What whoever takes part in a stream must know of it."""

    job_id: str
    length: Whole
    encoding: Encoding
    spec: dict[str, JsonValue]
    """What is rendered."""


class JobInfo(Spec):
    """A job at one moment."""

    job_id: str
    name: str
    """What its owner calls it; else `dataset_name` of the spec, or the job's id."""
    state: str
    priority: int
    owner: str = ""
    """Name of the token that submitted it; "" for jobs of before there were owners."""
    recipe: str = ""
    """The kind of dataset; "" where that is not known."""
    created_s: Seconds
    """Seconds since 1970."""
    tasks: Whole
    counts: dict[str, Whole]
    """Tasks by state."""
    views: Whole
    views_done: Whole
    views_per_s: Seconds | None = None
    eta_s: Seconds | None = None
    waits_for: str | None = None
    """Why the job is held back, in a sentence."""
    failures: tuple[str, ...] = ()
    """The newest failures, one sentence each."""
    stream: StreamState | None = Field(default=None, exclude_if=is_none)
    """Of a stream: its credits, and what waits. Only where one job is asked for."""
    finishing: bool = False
    """Its tasks are over; `views.jsonl`, `dataset.json` and the previews are still being made."""
    retried: Whole | None = None
    """Tasks that were put back; in the answer to a retry alone."""
    adds_to: str | None = Field(default=None, exclude_if=is_none)
    """Of a job that adds passes: the job that rendered the views. Only where one job is asked
    for."""
    added_by: tuple[str, ...] = Field(default=(), exclude_if=is_empty)
    """Unfinished jobs that add passes to its views. Only where one job is asked for."""
    sentence: str = ""
    """How it stands, and why: `Running, 610 of 1,000 views (61 %), about 4 min 0 s left.`"""
    title: str = ""
    """... in a few characters, for a tab: `61 % chairs`."""
    tone: Tone = "rests"
    """... in a word, for an icon."""


class AdditionWish(Spec):
    """Passes for the views of a job that is there: `POST /v1/jobs/{job}/passes`."""

    passes: tuple[str, ...] = Field(min_length=1, max_length=100)
    """What each view is to have, such as `depth`; also words for several, such as `flow`."""
    any_blender: bool = False
    """Also where another version of Blender rendered the views: the pixels decide."""
    priority: int = Field(default=0, ge=-100, le=100)
    """Higher goes first."""


class AdditionInfo(Spec):
    """What views of a job lack, and the job that adds it."""

    passes: tuple[str, ...]
    """What was asked for."""
    views: Whole
    """Of all datasets of the job."""
    missing: Whole
    """Views that lack something; 0: there is nothing to do."""
    tasks: Whole
    proofs: tuple[str, ...]
    """By what views are proven to be the same, such as `mask`, or `depth and index`."""
    job: JobInfo | None = None
    """The job that adds it; None where nothing is missing, or only a plan was asked for."""


class AttemptInfo(Spec):
    """One try of a task that did not end well."""

    attempt: Whole
    cause: str
    sentence: str
    worker: str
    time_s: Seconds
    charge: str = "counts"
    """`counts` against the task, `free`, or `refunded`: its worker was found bad."""


class TaskInfo(Spec):
    """A task of a job."""

    index: Whole
    task_id: str
    state: str
    title: str
    """What people call what is rendered: `vase · studio`."""
    views: Whole
    attempts: tuple[AttemptInfo, ...] = ()
    worker: str = ""
    """Who holds it, or held it last; "" where nobody does or has."""
    since_s: Seconds | None = None
    """When it was queued or claimed last, in seconds since 1970."""


MOST_PICKED = 1000
"""Most tasks that are named one by one."""


class TaskChoice(Spec):
    """Some tasks of a job: named, or those that share a cause, a group of troubles or an asset."""

    indices: tuple[Whole, ...] = Field(default=(), max_length=MOST_PICKED)
    """These."""
    cause: str = Field(default="", max_length=100)
    """Those that are given up and failed last by this cause, such as `asset` or `left out`."""
    group: str = Field(default="", max_length=64)
    """Those of a group of `tasks/troubles`."""
    asset: str = Field(default="", max_length=300)
    """Those that take the asset of this file name or id; with a cause or group, of these."""
    cursor: Whole = 0
    """`next` of the answer before, where there were more than one answer takes."""

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if not (self.indices or self.cause or self.group or self.asset):
            raise ValueError("name tasks by indices, a cause, a group or an asset")
        if self.indices and (self.cause or self.group or self.asset):
            raise ValueError("name tasks by indices, or by what they share, not by both")
        return self


class TaskRetry(TaskChoice):
    """Tasks to be tried again: `POST /v1/jobs/{job}/tasks/retry`."""

    elsewhere: bool = False
    """At other workers than those on which each failed, as long as there are some."""


class TasksChanged(Spec):
    """What a retry, or leaving out, has changed."""

    tasks: Whole
    """How many."""
    indices: tuple[Whole, ...]
    """Some of them."""
    sentence: str
    next: Whole | None = None
    """`cursor` for the rest, where there may be more; None: that is all."""


WorkerState = Literal["renders", "idle", "warming", "draining", "drained", "quarantine"]
"""How a worker stands; `warming`: its driver compiles kernels before it takes tasks; `draining`: it
finishes its task and then takes no more."""


class WorkerInfo(Spec):
    """A live worker."""

    worker: str
    name: str
    host: str
    device: str
    task: str | None
    """`<job>/<index>` that it holds now."""
    views_per_s: Seconds | None
    """Over its last tasks."""
    last_seen_s: Seconds
    """Seconds ago."""
    quarantine: str | None = None
    """Why it gets no tasks, in a sentence; None where it does."""
    view_megasamples: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """Million samples that each view of its last tasks took on average."""
    node: str = ""
    """Its name and host, `gpu0@rack-3`, which stay when it is started again."""
    hardware: str = ""
    """What people call its device."""
    state: WorkerState = "idle"
    title: str = ""
    """What it renders: `vase · studio`."""
    drained: str | None = None
    """Who has drained it and when, in a sentence; None where nobody has."""
    sampling_share: Seconds | None = None
    """Part of the last five minutes in which Cycles traced paths, 0 to 1: the rest was loading,
    labels, files and waiting."""
    temperature_c: Seconds | None = None
    """Of its GPU; as what follows, None where the driver does not tell."""
    power_w: Seconds | None = None
    gpu_memory_used_bytes: Whole | None = None
    """By all processes on its GPU."""
    gpu_memory_total_bytes: Whole | None = None
    up_s: Seconds | None = None
    """For how long it runs."""
    picture: str | None = None
    """Where the newest picture that it made is, small, while the farm has it."""

    @property
    def takes_tasks(self) -> bool:
        """It is given tasks."""
        return self.quarantine is None and self.drained is None and self.state != "warming"


class LostWorker(Spec):
    """A worker that was lost within the last day: its heartbeat ended without a word."""

    worker: str
    node: str
    name: str
    host: str
    device: str
    lost_s: Seconds
    """When it was heard of last, in seconds since 1970."""
    task: str | None
    """`<job>/<index>` that it held then; others render it now."""
    title: str = ""
    """What it rendered: `vase · studio`."""
    is_back: bool = False
    """A worker of its name lives on its host again."""


class DrainInfo(Spec):
    """What became of a worker that was to be drained, or to take tasks again."""

    node: str
    drained: bool
    tasks: tuple[str, ...] = ()
    """What it holds and finishes: `<job>/<index>`."""
    sentence: str


class Hashes(Spec):
    """Some files by SHA-256."""

    sha256s: tuple[str, ...] = Field(max_length=10_000)


class UploadInfo(Spec):
    """How much of a file the server has."""

    sha256: str
    received_bytes: Whole
    complete: bool


class AssetInfo(Spec):
    """A file of the library."""

    sha256: str
    size_bytes: Whole
    modified_s: Seconds
    """When it came, in seconds since 1970."""


class NamedAsset(Spec):
    """A model of the library, and what it is called."""

    sha256: str
    name: str
    """Of its file."""
    key: str
    """What a `words.yaml` of all models that the caller may see calls it."""
    words: AssetWords
    """As somebody has confirmed them; else as they are guessed."""
    why: str
    """Where they come from, in a sentence."""
    is_sure: bool
    """Its noun is confirmed, or in the list of nouns."""


class NamedAssets(Page[NamedAsset]):
    """A part of the list of words."""

    unread: Whole = 0
    """Jobs whose assets there was no time to look at yet; the next request continues."""


class WordsOf(Spec):
    """What a model is to be called."""

    sha256: str = Field(pattern=SHA256_PATTERN)
    words: dict[str, JsonValue]
    """As an entry of `words.yaml` has them."""


class WordsList(Spec):
    """What models are to be called: `PUT /v1/assets/words`."""

    entries: tuple[WordsOf, ...] = Field(min_length=1, max_length=1000)


class DatasetFile(Spec):
    """One file of a job's datasets."""

    path: str
    """Relative to the job's datasets."""
    size_bytes: Whole
    sha256: str
    dataset: str | None = None
    """Folder of its dataset within the job's, "" for the job's only one; None: not told."""


class ViewLine(Spec):
    """A line of a job's views: one that is finished, or what is wrong with its record."""

    dataset: str
    """Folder of its dataset within the job's; the files of the record are relative to it."""
    record: ViewRecord | None = None
    broken: str = ""
    """Where there is no record: which line of the farm's is not one, and why."""


class LicenceCount(Spec):
    """How many assets come by a licence."""

    title: str | None
    """None: nobody has told it."""
    assets: Whole


class DatasetInfo(Spec):
    """The datasets of one job."""

    job_id: str
    name: str
    views: Whole
    state: str
    owner: str = ""
    recipe: str = ""
    """"" where the job cannot be read here."""
    passes: tuple[str, ...] = ()
    resolution_px: tuple[Whole, Whole] | None = None
    classes: tuple[str, ...] = ()
    """Categories that its assets name."""
    licences: tuple[LicenceCount, ...] = ()
    size_bytes: Whole | None = None
    """None until the job is over."""
    troubles: tuple[str, ...] = ()
    """What is damaged or nested, as far as the farm has looked; `farm dataset verify` looks at
    everything."""
    sentence: str = ""
    """What it holds."""


class DatasetPage(Page[DatasetInfo]):
    """A part of the list of datasets."""

    total: Whole = 0
    """Datasets that fit."""
    unread: Whole = 0
    """Jobs that there was no time to look at yet; the next request continues."""


class ExportInfo(Kept):
    """A dataset in another tool's format, made by the server."""

    export_id: str
    job_id: str
    name: str
    """Of the dataset."""
    owner: str
    """Who asked for it."""
    format: str
    state: Literal["waiting", "running", "done", "failed"]
    views: Whole
    views_done: Whole = 0
    size_bytes: Whole = 0
    """Of the archive, once it is done."""
    created_s: Seconds
    expires_s: Seconds | None = None
    """When the archive goes, in seconds since 1970."""
    notes: tuple[str, ...] = ()
    """What a person should know of it."""
    fault: str = ""
    """Why it failed, in a sentence."""
    sentence: str = ""
    """How it stands."""


class Deletion(Spec):
    """What a deletion removes, or would remove."""

    dry_run: bool
    files: Whole
    size_bytes: Whole
    names: tuple[str, ...] = ()
    """Some of them, for people."""


class TokenInfo(Kept):
    """A token, without its secret."""

    token_id: str
    name: str
    """Who uses it; tokens of one name own the same jobs."""
    role: Role
    created_s: Seconds
    expires_s: Seconds | None = None
    """When it stops working, in seconds since 1970; None: never."""
    quota_bytes: Whole | None = None
    """Most bytes that its owner may have on the farm; None: as the farm is set up."""
    views_per_day: Whole | None = None
    """Most views that its owner may submit a day; None: as the farm is set up."""
    last_used_s: Seconds | None = None
    """In lists: when it was used last, to the minute; None: never, or not since this is noted."""
    made_by: str | None = Field(default=None, exclude_if=is_none)
    """Id of the token that it was made with and ends with; None: it stands on its own."""


class NewToken(Spec):
    """A token to make: `POST /v1/tokens`."""

    name: str | None = None
    """Who will use it; left out: the caller. Only admins make tokens for others."""
    role: Role
    expires_s: Seconds | None
    """When it stops working, in seconds since 1970; null: never, which only admins may say."""
    quota_bytes: Annotated[int, Field(gt=0, le=2**60)] | None = None
    """Most bytes of its owner; only admins may say that."""
    views_per_day: Annotated[int, Field(gt=0, le=2**53)] | None = None
    """Most views of its owner; only admins may say that."""


class MadeToken(Spec):
    """A token that was made just now."""

    token: str
    """The secret. It is told this once: only a hash of it is kept."""
    info: TokenInfo


class SignInCode(Spec):
    """What logs a browser in, once and within a minute."""

    code: str


class OpenedPage(Spec):
    """What a browser is to show."""

    page: str
    address: str
    """Logs the browser in, once and within a minute, and leads to the page."""


class TroubleGroup(Spec):
    """Tasks of a job that failed alike."""

    cause: str
    sentence: str
    """What happened to the first of them, for a person."""
    tasks: Whole
    """How many, among those that were looked at."""
    given_up: Whole
    """Of these, how many are not tried again by themselves."""
    indices: tuple[Whole, ...]
    """Some of them."""
    titles: tuple[str, ...]
    """What is rendered by these, each once."""
    workers: tuple[str, ...]
    group: str = ""
    """What it is chosen by, see `TaskChoice`."""
    asset: str | None = None
    """File name of the asset that these have alike and others do not, where one is to blame."""
    left_out: Whole = 0
    """How many of these somebody left out of the job."""


class StageTime(Spec):
    """Where the time of a job's views goes."""

    name: str
    """`load`, `build`, `sample`, `read`, `develop`, `encode` or `write`."""
    seconds_per_view: Seconds
    share: Seconds
    """Of all stages, 0..1."""


class SpeedPoint(Spec):
    """How fast a job was in a step of time."""

    start_s: Seconds
    """Seconds since 1970."""
    views_per_s: Seconds


class WorkerTime(Spec):
    """What a worker did for a job."""

    worker: str
    """Its name and host; "" for those that are not told apart."""
    seconds: Seconds
    views: Whole


class JobNumbers(Spec):
    """What a job took so far, as workers tell while they render: `GET /v1/jobs/{job}/numbers`."""

    views: Whole
    views_done: Whole
    views_lost: Whole
    """Of tasks that failed or were left out; about, while the job is not over."""
    views_per_s: Seconds | None
    """Over the last minute."""
    eta_s: Seconds | None
    """Until the job is over, at this speed."""
    line: tuple[SpeedPoint, ...]
    """Views per second over time, 120 steps at most: longer ones, the longer it takes."""
    step_s: Seconds | None
    """Length of a step."""
    timed_views: Whole
    """Views whose stages are known."""
    stages: tuple[StageTime, ...]
    """In order; empty while nothing is known."""
    sampling_share: Seconds | None
    """Of all stages, 0..1, the part in which Cycles traced paths."""
    causes: dict[str, Whole]
    """Attempts that failed, by cause, those of tasks that were done in the end included."""
    workers: tuple[WorkerTime, ...]
    """The one with most time first, 200 at most."""
    workers_s: Seconds
    """Seconds for which workers had the job's tasks, all together."""


class Remark(Spec):
    """What a job's owner should know of it though nothing has failed."""

    kind: Literal["texture", "licence"]
    asset: str
    """File name."""
    sentence: str


class StorageInfo(Spec):
    """How full a farm's storage is; of a bucket that cannot be asked for."""

    place: str
    total_bytes: Whole | None = None
    free_bytes: Whole | None = None
    growth_per_day: int | None = None
    """Bytes, over the last days; None while that is not known."""
    full_in_s: Seconds | None = None
    """When it will be full at this rate; None if it does not grow."""


class Trouble(Spec):
    """A dataset that needs a look."""

    dataset: str
    """Its key on the storage."""
    kind: Literal["nested", "damaged"]
    sentence: str


class DatasetsInfo(Spec):
    """The datasets of a farm, as far as they were looked at."""

    total: Whole
    looked_at: Whole
    """Of these the records were read."""
    whole: bool = True
    """There are no others: the look was not ended before it had found all."""
    troubles: tuple[Trouble, ...] = ()


class Taken(Spec):
    """What one user takes of a farm."""

    total_bytes: Whole
    """Uploads, datasets, and what unfinished jobs will add."""
    quota_bytes: Whole | None = None
    views_today: Whole = 0
    views_per_day: Whole | None = None


class FarmStatus(Spec):
    """A farm at one moment, as far as the caller may know: `GET /v1/status`."""

    you: TokenInfo
    taken: Taken
    shared: bool
    """Users see each other's jobs."""
    tokens: tuple[TokenInfo, ...]
    """For admins all, for others their own."""
    storage: StorageInfo
    jobs: dict[str, Whole]
    """How many are in each state."""
    workers: Whole
    quarantine: tuple[str, ...] = ()
    """The workers that get no tasks, and why, a sentence each."""
    drained: tuple[str, ...] = ()
    """The workers that somebody has drained, a sentence each."""
    datasets: DatasetsInfo | None = None
    """For admins; it may be some minutes old."""


class Problem(Spec):
    """An error as RFC 9457 has it, with what to do about it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    remedy: str
    instance: str | None = None
