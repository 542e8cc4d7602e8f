"""`Client`: a farm, usable from Python."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

from pydantic import RootModel

from farm.client.connection import LONG_TIMEOUT, Connection, Note, Relogin
from farm.client.download import Download, DownloadSummary, Received
from farm.client.events import follow
from farm.client.home import Home, find_login
from farm.client.lookup import choose, sane
from farm.client.prepared_job import PreparedJob, make_order, read_spec
from farm.client.text import printable
from farm.client.upload import Sent, missing, upload_all
from farm.errors import NotFoundError, RequestRefusedError
from farm.library.hashes import HashCache, Watch
from farm.library.survey import Watch as Looking
from farm.spec.base import Spec
from farm.spec.counted import counted
from farm.spec.job import JobSpec
from farm.spec.job_name import LAST
from farm.spec.wire import (
    JOB_ID_PATTERN,
    AdditionInfo,
    AdditionWish,
    DatasetFile,
    DatasetInfo,
    Deletion,
    DrainInfo,
    FarmStatus,
    JobInfo,
    LostWorker,
    NamedAsset,
    Page,
    SignInCode,
    TaskChoice,
    TaskInfo,
    TaskRetry,
    TasksChanged,
    TokenInfo,
    TroubleGroup,
    WorkerInfo,
)

S = TypeVar("S", bound=Spec)

PAGE_LIMIT = 1000
LIST_RESTARTS = 5
QUIET: Callable[[Any], None] = lambda _value: None  # noqa: E731 - a default that says nothing


class Client:
    """A farm, reached over HTTP.

        with Client() as farm:
            job = farm.submit("spec.yaml", wait=True)
            farm.download(job.job_id, "datasets")

    Every method raises a `farm.errors.FarmError` whose text says what happened and what to do.
    Where a method takes a job, give its id, the beginning of its id, its name (of several jobs
    of one name the newest is meant), or `last`.
    """

    def __init__(  # noqa: PLR0913 - each stands for itself
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        patience_s: float = 60.0,
        note: Note = QUIET,
        home: Home | None = None,
        login_patience_s: float = 0.0,
    ) -> None:
        """Find the login: what is given, else `FARM_URL` and `FARM_TOKEN`, else `farm login`'s.

        Args:
            url: Address of the farm.
            token: As `farm token` printed it.
            patience_s: Longest time for which a request is repeated while the farm is away.
            note: Takes sentences, such as that a file is missing or the farm does not answer.
            home: Where the login and other remembered facts are kept.
            login_patience_s: Longest wait for another `farm login`, where the remembered token
                expires in the middle.

        Raises:
            LoginError: There is no login.
        """
        self.home = home or Home.of_user()
        self.note = note
        login = find_login(self.home, url=url, token=token)
        remembered = login == self.home.stored_login()
        self.connection = Connection(
            login,
            patience_s=patience_s,
            note=note,
            relogin=Relogin(self.home.stored_login, login_patience_s) if remembered else None,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    @property
    def url(self) -> str:
        """Address of the farm."""
        return self.connection.url

    def whoami(self) -> TokenInfo:
        """Return what the farm knows of this client's token."""
        return self.connection.ask(TokenInfo, "GET", "/v1/whoami")

    def sign_in_code(self) -> str:
        """Return a code that logs a browser in, once and within a minute, with this token."""
        return self.connection.ask(SignInCode, "GET", "/v1/sign-in-code").code

    def status(self) -> FarmStatus:
        """Return the farm at this moment, as far as this client's token may know."""
        return self.connection.ask(FarmStatus, "GET", "/v1/status")

    # -- jobs -------------------------------------------------------------------------------

    def submit(  # noqa: PLR0913 - each stands for itself
        self,
        spec: JobSpec | Mapping[str, Any] | str | Path,
        *,
        base: str | Path | None = None,
        priority: int = 0,
        name: str | None = None,
        on_shared_storage: bool = False,
        trace: bool = False,
        wait: bool = False,
    ) -> JobInfo:
        """Upload what the farm lacks and submit; the same request again finds the same job.

        Args:
            spec: A spec, its fields, or the path of a YAML file.
            base: Folder that relative paths start from; left out: the file's, or the current one.
            priority: Higher goes first, -100 to 100.
            name: What to call the job; the same request again under another name renames it.
            on_shared_storage: The workers see the files under the same paths: nothing is uploaded.
            trace: Workers take down where the time goes: `farm dataset trace`.
            wait: Return only when the job is over.
        """
        read, folder = read_spec(spec)
        order = self.prepare(
            read,
            base=folder if base is None else Path(base),
            priority=priority,
            name=name,
            on_shared_storage=on_shared_storage,
            trace=trace,
        )
        if order.is_known:  # else the server looks into the scenes once it has them
            self.validate(order)
        self.upload(order, self.missing(order))
        job = self.place(order)
        return self.wait(job.job_id) if wait else job

    def prepare(  # noqa: PLR0913 - each stands for itself
        self,
        spec: JobSpec,
        *,
        base: Path,
        priority: int = 0,
        name: str | None = None,
        on_shared_storage: bool = False,
        trace: bool = False,
        watch: Watch | None = None,
        looking: Looking = lambda _done, _total, _name: None,
    ) -> PreparedJob:
        """Find, hash and trace the files of a spec.

        Args:
            spec: The request.
            base: The folder that relative paths start from.
            priority: Of the job.
            name: Of the job.
            on_shared_storage: The workers see the files under the same paths.
            trace: Workers take down where the time goes.
            watch: Follows the hashing.
            looking: Follows how scenes are looked into.
        """
        hashes = HashCache(self.home.hashes_file, watch=watch)
        try:
            return make_order(
                spec,
                base=base,
                hash_file=hashes,
                remark=self.note,
                priority=priority,
                name=name,
                on_shared_storage=on_shared_storage,
                trace=trace,
                looking=looking,
            )
        finally:
            hashes.close()

    def validate(self, order: PreparedJob) -> JobInfo:
        """Ask the farm whether it would take an order; nothing is changed."""
        return self._post("/v1/jobs", order, params={"validate_only": "true"})

    def missing(self, order: PreparedJob) -> list[str]:
        """Return the hashes of the files that the farm lacks for an order."""
        return missing(self.connection, list(order.files)) if order.files else []

    def upload(self, order: PreparedJob, sha256s: list[str], *, sent: Sent = QUIET) -> None:
        """Upload files of an order to the farm."""
        upload_all(self.connection, {sha256: order.files[sha256] for sha256 in sha256s}, sent=sent)

    def place(self, order: PreparedJob) -> JobInfo:
        """Submit an order whose files the farm has."""
        job = sane(self._post("/v1/jobs", order))
        self.home.save_last_job(self.url, job.job_id)
        return job

    def jobs(self, *, state: str | None = None) -> Iterator[JobInfo]:
        """Yield the jobs of the farm, those in `state` only where one is given."""
        return self._pages(JobInfo, "/v1/jobs", state=state)

    def job(self, job: str) -> JobInfo:
        """Return a job as it stands.

        Raises:
            NotFoundError: No such job exists, or several ids begin so.
        """
        if job == LAST:
            return self._last_job()
        if re.fullmatch(JOB_ID_PATTERN, job):
            try:
                return sane(self.connection.ask(JobInfo, "GET", f"/v1/jobs/{job}"))
            except NotFoundError:
                pass  # a name may look like an id
        found = sane(choose(job, self.jobs(), self.note))  # a list does not tell all
        return self.connection.ask(JobInfo, "GET", f"/v1/jobs/{found.job_id}")

    def _last_job(self) -> JobInfo:
        last = self.home.last_job(self.url)
        if last is None:
            raise NotFoundError(f"no job has been submitted from here to {self.url} yet", 404)
        try:
            return sane(self.connection.ask(JobInfo, "GET", f"/v1/jobs/{last}"))
        except NotFoundError:
            raise NotFoundError(
                f"the job that was submitted last from here, {printable(last, limit=20)}, is not "
                "on the farm any more; `farm jobs` lists those that are",
                404,
            ) from None

    def pause(self, job: str) -> JobInfo:
        """Stop handing out tasks of a job; running tasks are finished."""
        return self._turn(job, "pause")

    def resume(self, job: str) -> JobInfo:
        """Resume a paused job."""
        return self._turn(job, "resume")

    def cancel(self, job: str) -> JobInfo:
        """End a job; rendered views are kept."""
        return self._turn(job, "cancel")

    def retry(self, job: str) -> JobInfo:
        """Try the failed tasks of a job again; `retried` of the answer says how many there were."""
        return self._turn(job, "retry")

    def retry_tasks(  # noqa: PLR0913 - which tasks, each way by its name
        self,
        job: str,
        *,
        tasks: Sequence[int] = (),
        cause: str = "",
        asset: str = "",
        group: str = "",
        elsewhere: bool = False,
    ) -> TasksChanged:
        """Try some tasks of a job again, also those that were left out.

        Args:
            job: Which one.
            tasks: Their numbers; or
            cause: Those that are given up and failed last by this cause; or
            asset: Those that take this file; with a cause, of these.
            group: Those of a group of `troubles`.
            elsewhere: At other workers than those on which each failed.
        """
        which = TaskRetry(
            indices=tuple(tasks), cause=cause, asset=asset, group=group, elsewhere=elsewhere
        )
        return self._pick(job, "retry", which)

    def leave_out(
        self,
        job: str,
        *,
        tasks: Sequence[int] = (),
        cause: str = "",
        asset: str = "",
        group: str = "",
    ) -> TasksChanged:
        """Leave some tasks out of a job, so that it completes without; `retry_tasks` undoes it."""
        which = TaskChoice(indices=tuple(tasks), cause=cause, asset=asset, group=group)
        return self._pick(job, "leave-out", which)

    def troubles(self, job: str) -> tuple[TroubleGroup, ...]:
        """Return what went wrong in a job, what is alike together."""
        path = f"/v1/jobs/{self.job(job).job_id}/tasks/troubles"
        return self.connection.ask(Troubles, "GET", path).root

    def prioritise(self, job: str, priority: int) -> JobInfo:
        """Give a job another priority, -100 to 100."""
        path = f"/v1/jobs/{self.job(job).job_id}"
        return self.connection.ask(JobInfo, "PATCH", path, json={"priority": priority})

    def delete(self, job: str, *, dry_run: bool = True) -> Deletion:
        """Delete a job that is over, with its datasets; by default only say what would go."""
        path, params = f"/v1/jobs/{self.job(job).job_id}", {"dry_run": str(dry_run).lower()}
        return self.connection.ask(Deletion, "DELETE", path, params=params)

    def words(self, find: str = "") -> Iterator[NamedAsset]:
        """Yield the models of the farm's library, and what they are called."""
        return self._pages(NamedAsset, "/v1/assets/words", limit=500, find=find or None)

    def tidy(self, *, dry_run: bool = True, recent: bool = False) -> Deletion:
        """Remove uploads that no job needs, of the last day only if `recent`.

        By default only say what would go.
        """
        params = {"dry_run": str(dry_run).lower()} | ({"recent": "true"} if recent else {})
        return self.connection.ask(Deletion, "DELETE", "/v1/assets/unused", params=params)

    def follow(self, job: str) -> Iterator[JobInfo]:
        """Yield a job now and whenever it has changed, until it is over."""
        return follow(self.connection, self.job(job).job_id)

    def wait(self, job: str) -> JobInfo:
        """Wait until a job is over, and return it."""
        (last,) = deque(self.follow(job), maxlen=1)
        return last

    def add_passes(
        self,
        job: str,
        passes: Sequence[str],
        *,
        any_blender: bool = False,
        priority: int = 0,
    ) -> AdditionInfo:
        """Have the farm add passes to the views of a job; the `job` of the answer does it.

        The same wish again finds what runs, or does what is still missing.

        Args:
            job: The one that rendered the views.
            passes: What each is to have.
            any_blender: Also where another version of Blender rendered them: the pixels decide.
            priority: Higher goes first, -100 to 100.
        """
        wish = AdditionWish(passes=tuple(passes), any_blender=any_blender, priority=priority)
        return self._add(job, wish)

    def plan_passes(
        self,
        job: str,
        passes: Sequence[str],
        *,
        any_blender: bool = False,
        priority: int = 0,
    ) -> AdditionInfo:
        """Return what `add_passes` would do; nothing is changed."""
        wish = AdditionWish(passes=tuple(passes), any_blender=any_blender, priority=priority)
        return self._add(job, wish, params={"validate_only": "true"})

    # -- tasks ------------------------------------------------------------------------------

    def tasks(self, job: str, *, state: str | None = None) -> Iterator[TaskInfo]:
        """Yield the tasks of a job, with their failed attempts."""
        return self._pages(TaskInfo, f"/v1/jobs/{self.job(job).job_id}/tasks", state=state)

    def log(self, job: str, index: int, *, attempt: int | None = None) -> str:
        """Return the log of a task: of its newest attempt, or of the given one."""
        params = {} if attempt is None else {"attempt": attempt}
        return self.connection.text(
            f"/v1/jobs/{self.job(job).job_id}/tasks/{index}/log", params=params
        )

    # -- datasets and workers ---------------------------------------------------------------

    def datasets(self) -> Iterator[DatasetInfo]:
        """Yield the datasets of all jobs."""
        return self._pages(DatasetInfo, "/v1/datasets")

    def files(self, job: str) -> Iterator[DatasetFile]:
        """Yield the files of a job's datasets rendered so far, each once."""
        for page in self._file_pages(self.job(job).job_id):
            yield from page

    def download(
        self,
        job: str,
        folder: str | Path,
        *,
        threads: int = 8,
        received: Received = QUIET,
        listed: Received = QUIET,
    ) -> DownloadSummary:
        """Download a job's datasets into `folder`, checked by hash; intact files are kept.

        Args:
            job: Which one.
            folder: Nothing is written outside of it.
            threads: Files at a time.
            received: Takes the size of each file that is there now.
            listed: Takes the size of each file that is still to come.
        """
        job_id = self.job(job).job_id

        def files() -> Iterator[DatasetFile]:
            for page in self._file_pages(job_id):
                listed(sum(file.size_bytes for file in page))
                yield from page

        download = Download(self.connection, job_id, Path(folder), received=received)
        return download.run(files(), threads=threads)

    def workers(self) -> tuple[WorkerInfo, ...]:
        """Return the live workers."""
        return self.connection.ask(Workers, "GET", "/v1/workers").root

    def lost_workers(self) -> tuple[LostWorker, ...]:
        """Return the workers that were lost within the last day, the newest first."""
        return self.connection.ask(LostWorkers, "GET", "/v1/workers/lost").root

    def drain_worker(self, worker: str) -> DrainInfo:
        """Let a worker finish what it holds and take no more tasks; needs the role admin.

        Args:
            worker: Its name, name@host, or host, where that means one.
        """
        return self._turn_worker(worker, "drain")

    def undrain_worker(self, worker: str) -> DrainInfo:
        """Let a worker take tasks again; needs the role admin."""
        return self._turn_worker(worker, "undrain")

    # -- how --------------------------------------------------------------------------------

    def _file_pages(self, job_id: str) -> Iterator[list[DatasetFile]]:
        """Yield lists of files without duplicates; start again if the list changed meanwhile."""
        seen: dict[str, str] = {}
        restarts = 0
        while True:
            try:
                for page in self._each_page(DatasetFile, f"/v1/datasets/{job_id}/files"):
                    new: list[DatasetFile] = []
                    for file in page:
                        if seen.get(file.path) != file.sha256:
                            seen[file.path] = file.sha256
                            new.append(file)
                    yield new
            except RequestRefusedError as error:
                restarts += 1
                if error.status != 409 or restarts > LIST_RESTARTS:
                    raise
            else:
                return

    def _post(self, path: str, order: PreparedJob, **request: Any) -> JobInfo:
        unsaid = {"name"} if order.submission.name is None else None  # older farms know none
        body = order.submission.model_dump_json(exclude=unsaid).encode()
        headers = {"Content-Type": "application/json"}
        return self.connection.ask(JobInfo, "POST", path, content=body, headers=headers, **request)

    def _add(self, job: str, wish: AdditionWish, **request: Any) -> AdditionInfo:
        path = f"/v1/jobs/{self.job(job).job_id}/passes"
        body = wish.model_dump(mode="json")
        return self.connection.ask(
            AdditionInfo, "POST", path, json=body, timeout=LONG_TIMEOUT, **request
        )

    def _pick(self, job: str, verb: str, which: TaskChoice) -> TasksChanged:
        """Do something to tasks, as many at a time as the server takes."""
        path, count, first = f"/v1/jobs/{self.job(job).job_id}/tasks/{verb}", 0, None
        while True:
            told = self.connection.ask(TasksChanged, "POST", path, json=which.model_dump())
            count, first = count + told.tasks, first if first and first.tasks else told
            if told.next is None:
                return first.model_copy(
                    update={
                        "tasks": count,
                        "next": None,
                        "sentence": with_count(first.sentence, first.tasks, count),
                    }
                )
            which = which.model_copy(update={"cursor": told.next})

    def _turn(self, job: str, verb: str) -> JobInfo:
        return self.connection.ask(JobInfo, "POST", f"/v1/jobs/{self.job(job).job_id}/{verb}")

    def _turn_worker(self, worker: str, verb: str) -> DrainInfo:
        return self.connection.ask(
            DrainInfo, "POST", f"/v1/workers/{quote(worker, safe='')}/{verb}"
        )

    def _pages(
        self, item: type[S], path: str, *, limit: int = PAGE_LIMIT, **params: str | None
    ) -> Iterator[S]:
        for page in self._each_page(item, path, limit=limit, **params):
            yield from page

    def _each_page(
        self, item: type[S], path: str, *, limit: int = PAGE_LIMIT, **params: str | None
    ) -> Iterator[tuple[S, ...]]:
        asked: dict[str, str | int] = {k: v for k, v in params.items() if v is not None}
        asked["limit"] = limit
        model = Page[item]  # type: ignore[valid-type]  # a model made of a class at run time
        cursors: set[str] = set()
        while True:
            page = self.connection.ask(model, "GET", path, params=asked)
            yield page.items
            if page.next is None or page.next in cursors:
                return
            cursors.add(page.next)
            asked["cursor"] = page.next


def with_count(sentence: str, told: int, count: int) -> str:
    """Return what a server said of `told` tasks for `count` of them."""
    if told == count:
        return sentence
    return sentence.replace(f"{counted(told, 'task')} {'is' if told == 1 else 'are'}",
                            f"{counted(count, 'task')} are")  # fmt: skip


class Troubles(RootModel[tuple[TroubleGroup, ...]]):
    """The answer of `/v1/jobs/{job}/tasks/troubles`."""


class LostWorkers(RootModel[tuple[LostWorker, ...]]):
    """The answer of `/v1/workers/lost`."""


class Workers(RootModel[tuple[WorkerInfo, ...]]):
    """The answer of `/v1/workers`."""
