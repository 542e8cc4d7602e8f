"""The commands as a user of a laptop runs them, in this process."""

import io
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer.main
from rich.console import Console

from farm.cli.app import COMMANDS, USE, make_app
from farm.cli.main import main
from farm.client.home import Home, Login
from farm.spec.wire import LostWorker, WorkerInfo
from tests.unit.client.small_farm import TOKEN, a_job_info

JOB = "0123456789ab"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def data(self):
        return json.loads(self.out)


@pytest.fixture
def farm(monkeypatch, capsys, home):
    """Run `farm ...`."""
    monkeypatch.setattr(Home, "of_user", classmethod(lambda _cls: home))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*args: object, text: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["farm", *map(str, args)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Done(ended.value.code or 0, captured.out, captured.err)

    return run


@pytest.fixture
def logged_in(small, home):
    home.save_login(Login(small.url, TOKEN))
    return small


def test_a_login_is_tried_before_it_is_kept(farm, small, home):
    wrong = farm("login", small.url, "--token", "wrong")
    right = farm("login", small.url, text=f"{TOKEN}\n")

    assert wrong.code == 2
    assert wrong.err.startswith("error: the farm at ")
    assert "does not let you in: the token is wrong" in wrong.err
    assert right.code == 0
    assert right.err == f"logged in to {small.url} as ada (submit)\n"
    assert home.stored_login() == Login(small.url, TOKEN)
    assert farm("logout").err == "logged out\n"
    assert farm("jobs").err.startswith("error: there is no login here")


def test_a_login_takes_the_token_of_the_environment(farm, small, home, monkeypatch):
    monkeypatch.setenv("FARM_TOKEN", TOKEN)

    done = farm("login", small.url)

    assert done.err == f"logged in to {small.url} as ada (submit)\n"
    assert home.stored_login() == Login(small.url, TOKEN)

    monkeypatch.setenv("FARM_TOKEN", "wrong")
    flag = farm("login", small.url, "--token", TOKEN)
    assert "note: FARM_TOKEN is set to another token: commands use that one" in flag.err
    assert "does not let you in: the token is wrong" in farm("login", small.url).err


@pytest.mark.parametrize("typed", ["", "\n", "  \n"])
def test_a_missing_token_is_not_called_wrong(farm, small, home, monkeypatch, typed):
    monkeypatch.setenv("FARM_TOKEN", "")  # as a CI has it where nobody set the secret

    done = farm("login", small.url, text=typed)

    assert done.code == 2
    assert done.err == (
        "error: the token is missing: set FARM_TOKEN, pipe it in, or pass --token\n"
    )
    assert small.requests == []
    assert home.stored_login() is None


def test_another_version_is_noted_at_the_login(farm, small):
    small.version = "7.0.0"

    assert (
        "note: the farm has version 7.0.0, this is"
        in farm("login", small.url, "--token", TOKEN).err
    )


def test_submit_shows_a_plan_and_refuses_to_go_on_unasked(farm, logged_in, models):
    done = farm("submit", "--models", models, "--hdrs", models)

    assert done.code == 2
    assert "models    2" in done.err
    assert "views     192 in 20 tasks" in done.err
    assert "upload    5 of 5 files, 3.2 KB" in done.err
    assert "pass --yes" in done.err
    assert done.out == ""
    assert logged_in.blobs == {}
    assert logged_in.submissions == []


def test_submit_uploads_and_says_what_to_do_next(farm, logged_in, models, tmp_path):
    spec = tmp_path / "spec.yaml"
    spec.write_text(f"models: [{models}]\nhdrs: {models}\n")
    done = farm("submit", spec, "--priority", 3, "--trace", "--yes")

    (submission,) = logged_in.submissions
    job = farm("status", "last", "--json").data["job_id"]
    assert done.code == 0, done.err
    assert f"submitted {job[:6]}\n  farm watch {job[:6]}\n  farm open {job[:6]}\n" in done.err
    assert len(logged_in.blobs) == 5
    assert (submission.priority, submission.trace) == (3, True)

    again = farm("submit", spec, "--yes", "--json")
    assert again.data["job_id"] == job
    assert again.err == ""
    logged_in.jobs[job] = a_job_info(job, name=job, state="completed", views_done=40)
    told = farm("submit", spec)
    assert (told.code, told.out) == (0, "")
    assert told.err == (
        f"{job[:6]} is already there, complete: 40 of 40 views\n  farm download {job[:6]}\n"
    )
    plan = farm("submit", spec, "--dry-run").err
    assert "upload    0 of 5 files, 0 B" in plan
    assert plan.endswith("is already there, complete: 40 of 40 views\n")


def test_a_plan_can_be_had_alone(farm, logged_in, models):
    logged_in.workers = [a_worker(views_per_s=2.0), a_worker(views_per_s=None)]
    plan = farm("submit", "--models", models, "--hdrs", models, "--dry-run", "--json").data

    assert plan["views"] == 192
    assert plan["upload_files"] == 5
    assert plan["seconds"] == 48
    assert logged_in.submissions == []


def test_a_spec_that_the_farm_does_not_take_is_said_before_the_upload(farm, logged_in, models):
    handler = logged_in.server.RequestHandlerClass
    handler.submit = lambda self: self.problem(422, "spec: makes 9 tasks; this farm takes 1")

    done = farm("submit", "--models", models, "--hdrs", models, "--yes")

    assert done.code == 2
    assert "error: spec: makes 9 tasks; this farm takes 1; do otherwise" in done.err
    assert logged_in.blobs == {}


def test_a_job_that_does_not_fit_is_shown_with_its_plan_and_not_uploaded(farm, logged_in, models):
    def refuse(self):
        self.body()
        self.problem(507, "the storage has 5.0 GB free")

    logged_in.server.RequestHandlerClass.submit = refuse

    done = farm("submit", "--models", models, "--hdrs", models, "--yes")

    assert done.code == 2
    assert "views     192 in 20 tasks" in done.err
    assert done.err.endswith("error: the storage has 5.0 GB free; do otherwise\n")
    assert logged_in.blobs == {}


def test_a_plan_that_takes_longer_than_a_week_says_so(farm, logged_in, models):
    logged_in.workers = [a_worker(views_per_s=1e-4)]

    plan = farm("submit", "--models", models, "--hdrs", models, "--dry-run").err

    assert "time      roughly 22 d 5 h at the workers' recent speed; 1 worker\n" in plan
    assert plan.endswith("note: roughly 22 d 5 h is longer than a week\n")
    assert farm("submit", "--models", models, "--hdrs", models, "--yes").code == 0


@pytest.mark.parametrize("device", ["cpu", "optix:0"])
def test_the_time_of_a_plan_follows_its_samples_not_those_that_were_rendered_before(
    farm, logged_in, models, device
):
    small = a_worker(device=device, views_per_s=4.0, view_megasamples=0.008)  # 64 px, 2 samples
    logged_in.workers = [small]
    flags = ("--models", models, "--hdrs", models, "--dry-run", "--json")
    large = ("--resolution", 8192, "--samples", 4096)

    alike = farm("submit", *flags, "--resolution", 64, "--samples", 2).data["seconds"]
    slow = farm("submit", *flags, *large).data["seconds"]
    depth = farm("submit", *flags, "--passes", "depth", "--resolution", 64).data["seconds"]

    assert alike == 48
    assert slow > 1000 * alike
    assert depth == 48
    logged_in.workers = [small.model_copy(update={"view_megasamples": None})]
    assert farm("submit", *flags, *large).data["seconds"] == 48


def a_lost_worker(**changes):
    fields = {"worker": "w9", "node": "gpu9@rack1", "name": "gpu9", "host": "rack1",
              "device": "optix:0", "lost_s": time.time() - 150, "task": f"{JOB}/3"}  # fmt: skip
    return LostWorker(**(fields | changes))


def a_worker(**changes):
    fields = {"worker": "w1", "name": "gpu0", "host": "rack1", "device": "optix:0",
              "task": f"{JOB}/7", "views_per_s": 2.0, "last_seen_s": 1.0}  # fmt: skip
    return WorkerInfo(**(fields | changes))


def test_jobs_and_workers_are_listed(farm, logged_in):
    assert "there are no jobs" in farm("jobs").err
    logged_in.jobs[JOB] = a_job_info(name="[red]chairs\x1b[2J", priority=4)
    logged_in.workers = [a_worker()]

    table, workers = farm("jobs").out, farm("workers").out

    assert table.split() == [
        *["ID", "NAME", "OWNER", "STATE", "VIEWS", "DONE", "AGE"],
        *[JOB[:6], "[red]chairs\\x1b[2J", "-", "running", "20/40", "50", "%"],
        *table.split()[-2:],
    ]
    assert "gpu0" in workers
    assert f"{JOB}/7" in workers


def test_workers_are_listed_with_what_they_measure_and_why_they_rest(farm, logged_in):
    assert farm("workers").err == (
        "no worker is alive; `farm worker` on a GPU machine starts one\n"
    )
    measured = {"sampling_share": 0.912, "temperature_c": 61.4, "power_w": 231.5}
    logged_in.workers = [
        a_worker(**measured),
        a_worker(name="gpu1", drained="drained by ann", sampling_share=0.5),
        a_worker(name="gpu2", drained="drained by ann", task=None, power_w=40.0),
        a_worker(name="gpu3", quarantine="it fails", task=None),
    ]
    logged_in.lost = [a_lost_worker(), a_lost_worker(node="gpu8@rack1", is_back=True)]

    told = farm("workers")
    heads, *rows = [line.split() for line in told.out.splitlines()]
    assert heads == ["WORKER", "HOST", "DEVICE", "TASK", "SPEED", "SAMPLES", "GPU", "SEEN"]
    assert rows[0][3:-3] == [f"{JOB}/7", "2.00", "views/s", "91", "%", "61", "°C", "232", "W"]
    assert rows[1][3:5] == ["drains,", f"{JOB}/7"]
    assert rows[2][3:-3] == ["drained", "2.00", "views/s", "40", "W"]
    assert rows[3][3] == "quarantine"
    assert told.err.splitlines() == [
        "gpu1 is drained by ann",
        "gpu2 is drained by ann",
        "gpu3 is in quarantine: it fails",
        f"gpu9@rack1 was lost 2 min ago; it held {JOB}/3",
    ]
    assert len(farm("workers", "--json").data) == 4


def test_a_worker_is_drained_and_takes_tasks_again(farm, logged_in):
    told = farm("workers", "drain", "gpu0@rack 1#2")

    assert (told.code, told.out, told.err) == (0, "", "gpu0@rack 1#2 takes no more tasks\n")
    assert "POST /v1/workers/gpu0%40rack%201%232/drain" in logged_in.requests
    assert farm("workers", "undrain", "gpu0", "--json").data["drained"] is False
    assert farm("workers", "drain").code == 2


def test_workers_that_are_given_no_tasks_are_not_in_a_plan(farm, logged_in, models):
    idle = {"drained": "drained by ann", "views_per_s": 2.0}
    logged_in.workers = [a_worker(views_per_s=2.0), a_worker(**idle), a_worker(quarantine="bad")]

    plan = farm("submit", "--models", models, "--hdrs", models, "--dry-run", "--json").data
    assert (plan["workers"], plan["seconds"]) == (1, 96)


def test_status_says_why_a_job_waits_and_fails(farm, logged_in):
    logged_in.jobs[JOB] = a_job_info(
        counts={"done": 1, "failed": 2, "set aside": 1}, waits_for="a worker: none is there",
        failures=("vase.blend: there is nothing to render\x07",),
    )  # fmt: skip

    done = farm("status", JOB[:4])

    assert "waits for  a worker: none is there" in done.out
    assert "1 done, 2 failed, 1 set aside of 4" in done.out
    assert "vase.blend: there is nothing to render\\x07" in done.out
    assert f"farm retry {JOB[:4]}" in done.err
    assert "state      running: 20 of 40 views, 3 tasks failed" in done.out


@pytest.mark.parametrize(
    ("state", "counts", "code", "words"),
    [
        ("completed", {"done": 4}, 0, "is complete: 20 of 40 views"),
        ("completed", {"done": 3, "set aside": 1}, 1, "is complete: 20 of 40 views, 1 task failed"),
        ("failed", {"failed": 4}, 3, "has failed: 20 of 40 views, 4 tasks failed"),
        ("cancelled", {"cancelled": 2}, 3, "is cancelled: 20 of 40 views are rendered and kept"),
    ],
)
def test_the_end_of_a_job_is_told_once_and_by_the_exit_code(
    farm, logged_in, state, counts, code, words
):
    logged_in.jobs[JOB] = a_job_info()
    logged_in.stream = [a_job_info(views_done=30), a_job_info(state=state, counts=counts)]

    waited = farm("wait", JOB)
    assert (waited.code, waited.err) == (code, f"chairs (012345) {words}\n")
    logged_in.jobs[JOB] = a_job_info()
    watched = farm("watch", JOB)
    assert watched.code == code
    first, last, *commands = watched.err.splitlines()
    assert first == "running  20/40 views  2.00 views/s  ETA 10 s"
    assert last == f"chairs (012345) {words}"
    assert all(line.startswith("  farm ") for line in commands)


def test_watch_prints_one_line_of_json_per_change(farm, logged_in):
    logged_in.jobs[JOB] = a_job_info()
    logged_in.stream = [a_job_info(views_done=30), a_job_info(state="completed", views_done=40)]

    lines = [json.loads(line) for line in farm("watch", JOB, "--json").out.splitlines()]

    assert [line["views_done"] for line in lines] == [20, 30, 40]


def test_jobs_are_steered(farm, logged_in):
    logged_in.jobs[JOB] = a_job_info()

    states = [
        farm(verb, JOB, "--json").data["state"] for verb in ("pause", "resume", "cancel", "retry")
    ]

    assert states == ["paused", "running", "cancelled", "running"]
    assert farm("priority", JOB, 50, "--json").data["priority"] == 50
    assert farm("priority", JOB, 101).code == 2


def test_what_was_done_to_a_job_is_a_sentence(farm, logged_in):
    counts = {"done": 1, "running": 1, "failed": 2}
    logged_in.jobs[JOB] = a_job_info(counts=counts)

    told = [farm(verb, "chairs").err for verb in ("pause", "resume", "retry", "cancel")]
    logged_in.jobs[JOB] = a_job_info(counts={"done": 4}, state="completed", views_done=40)

    assert told == [
        "chairs (012345) is paused at 20 of 40 views: no further task starts until it is resumed; "
        "1 running task is finished first\n",
        "chairs (012345) is running: 20 of 40 views, 2 tasks failed\n",
        "chairs (012345): 2 failed tasks are tried again\n",
        "chairs (012345) is cancelled: 20 of 40 views are rendered and kept\n",
    ]
    assert farm("retry", "last").err.startswith("error: no job has been submitted from here")
    assert farm("retry", "chairs").err == (
        "chairs (012345): nothing to retry: none of its 4 tasks has failed\n"
    )
    assert farm("priority", JOB, "--", -5).err.startswith("chairs (012345) has the priority -5 now")
    assert farm("priority", JOB, -6).err.startswith("chairs (012345) has the priority -6 now")
    assert farm("priority", JOB, "--jsn", 5).code == 2


@pytest.mark.parametrize("command", ["status", "watch"])
def test_attempts_that_failed_alike_are_told_once(farm, logged_in, command):
    failures = ("task 1: no room", *["task 0: wood.png is missing", "task 1: no mesh"] * 3)
    counts = {"done": 2, "failed": 2}
    logged_in.jobs[JOB] = a_job_info(state="failed", counts=counts, failures=failures)

    done = farm(command, JOB)
    said = [
        line.split("task ")[1].strip()
        for line in (done.out + done.err).splitlines()
        if "task " in line
    ]

    assert said == ["1: no room", "0: wood.png is missing", "1: no mesh"]


def test_jobs_have_names_of_their_own(farm, logged_in, models):
    flags = ("--models", models, "--hdrs", models, "--yes")
    chairs = farm("submit", *flags, "--name", "office chairs", "--json").data
    told = farm("submit", *flags, "--seed", 2, "--name", "tables").err

    assert (chairs["name"], logged_in.submissions[0].name) == ("office chairs", "office chairs")
    assert logged_in.submissions[0].spec.dataset_name is None
    assert "\n  farm watch tables\n" in told
    assert farm("status", "office chairs", "--json").data["job_id"] == chairs["job_id"]
    assert "  farm watch 'office chairs'\n" in farm("status", "office chairs").err


def test_another_name_for_a_job_that_was_there_is_told_whether_it_is_taken_or_not(
    farm, logged_in, models
):
    flags = ("--models", models, "--hdrs", models, "--yes")
    job = farm("submit", *flags, "--name", "chairs", "--json").data["job_id"]

    same = farm("submit", *flags, "--name", "chairs").err
    renamed = farm("submit", *flags, "--name", "tables").err
    logged_in.jobs[job] = logged_in.jobs[job].model_copy(update={"owner": "bob"})
    refused = farm("submit", *flags, "--name", "stools").err

    assert "note: " not in same
    assert renamed.startswith(f"tables ({job[:6]}) is already there, running: ")
    assert renamed.endswith("note: it was called 'chairs' until now\n")
    assert refused.endswith(f"note: it belongs to bob and keeps its name; {job[:6]} means it\n")


def test_a_cancelled_job_that_is_submitted_again_is_told_how_to_render_it(farm, logged_in, models):
    flags = ("--models", models, "--hdrs", models, "--yes")
    job = farm("submit", *flags, "--json").data["job_id"]
    logged_in.jobs[job] = a_job_info(job, name=job, state="cancelled")

    told = farm("submit", *flags).err.splitlines()

    assert told[0].endswith(
        "are rendered and kept; to render it after all, delete it and submit it again"
    )
    assert told[-1] == f"  farm delete {job[:6]}"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("last", "stands for the job that was submitted last"),
        (JOB, "looks like the id of a job"),
        ("", "1 to 80 printable characters"),
        ("a\nb", "1 to 80 printable characters"),
        ("x" * 81, "1 to 80 printable characters"),
        ("-rf", "looks like a flag"),
    ],
)
def test_a_name_that_would_mean_something_else_is_refused(farm, logged_in, models, name, why):
    done = farm("submit", "--models", models, "--hdrs", models, "--yes", f"--name={name}")

    assert done.code == 2
    assert done.err.startswith("error: name: ")
    assert why in done.err
    assert logged_in.submissions == []


def test_of_two_jobs_of_one_name_the_newest_is_meant_and_both_are_listed(farm, logged_in):
    for number, age_s in ((1, 100), (2, 10), (3, 1)):
        job_id = f"abcdef{number:06}"
        name = "tables" if number == 3 else "chairs"
        made = a_job_info(job_id, name=name, created_s=2e9 - age_s, owner="bob")
        logged_in.jobs[job_id] = made

    status, listed = farm("status", "chairs"), farm("jobs", "chairs").out

    assert status.err.startswith(
        "note: 2 jobs are called 'chairs'; this is the newest, abcdef of bob: `farm jobs chairs` "
    )
    assert "(id abcdef000002)" in status.out
    ids = [line.split()[0] for line in listed.splitlines()[1:]]
    assert ids == ["abcdef000002", "abcdef000001"]
    assert farm("jobs", "chiars").err == (
        "error: there is no job 'chiars'; `farm jobs` lists them; did you mean 'chairs'?\n"
    )


def test_a_name_goes_before_the_beginning_of_an_id(farm, logged_in):
    logged_in.jobs[JOB] = a_job_info(name="x")
    logged_in.jobs["f" * 12] = a_job_info("f" * 12, name=JOB[:5])

    done = farm("status", JOB[:5])

    assert "ffffffffffff" in done.out
    assert done.err.startswith(f"note: '{JOB[:5]}' is taken as the name of a job, not as the id of")
    assert f"(id {JOB})" in farm("status", JOB[:6]).out


def test_jobs_fit_into_80_columns(farm, logged_in, monkeypatch):
    monkeypatch.setattr("farm.cli.remote.farm_options.out_console", lambda: Console(width=80))
    monkeypatch.setattr("farm.cli.remote.jobs.out_console", lambda: Console(width=80))
    logged_in.jobs[JOB] = a_job_info(
        name="an office with many chairs and tables, second try", owner="ada.lovelace@farm.example",
        state="cancelling", views=1_234_567, views_done=1_000_000, counts={"failed": 12_345},
    )  # fmt: skip
    logged_in.jobs["f" * 12] = a_job_info("f" * 12, name="f" * 12, owner="ada")

    head, one, other = farm("jobs").out.splitlines()

    assert max(map(len, (head, one, other))) <= 80
    assert head.split() == ["ID", "NAME", "OWNER", "STATE", "VIEWS", "DONE", "FAILED", "AGE"]
    assert one.startswith("012345  an o")
    assert "…" in one
    assert "cancelling  1,000,000/1,234,567  81 %  12,345" in one
    assert other.split()[:4] == ["ffffff", "-", "ada", "running"]


def test_mine_are_those_of_the_tokens_owner(farm, logged_in):
    logged_in.jobs[JOB] = a_job_info(name="hers", owner="ada")
    logged_in.jobs["f" * 12] = a_job_info("f" * 12, name="his", owner="bob")

    assert [job["name"] for job in farm("jobs", "--mine", "--json").data] == ["hers"]
    logged_in.jobs.pop(JOB)
    assert farm("jobs", "--mine").err == "you have no jobs\n"


def test_a_last_job_that_is_gone_is_said(farm, logged_in, home):
    home.save_last_job(logged_in.url, JOB)

    done = farm("status", "last")

    assert done.code == 2
    assert f"submitted last from here, {JOB}, is not on the farm any more" in done.err


def test_a_deletion_is_shown_and_asked_for(farm, logged_in):
    logged_in.jobs[JOB] = a_job_info(state="completed")

    shown = farm("delete", JOB)
    assert shown.code == 2
    assert "3 files, 5.0 KB" in shown.err
    assert "chairs/\\x1b[2Jimages" in shown.err
    assert "pass --yes" in shown.err
    assert farm("delete", JOB, "--dry-run", "--json").data["dry_run"]
    assert JOB in logged_in.jobs
    deleted = farm("delete", JOB, "--yes")
    assert deleted.code == 0
    assert deleted.err.count("chairs/\\x1b[2Jimages") == 1
    assert deleted.err.endswith("\nremoved 3 files, 5.0 KB\n")
    assert JOB not in logged_in.jobs


def test_uploads_that_nothing_needs_are_shown_and_asked_for(farm, logged_in):
    logged_in.blobs = {"a": b"", "b": b""}

    shown = farm("tidy")
    assert shown.code == 2
    assert "no job needs 2 files, 2.0 KB" in shown.err
    assert farm("tidy", "--dry-run").err == "would remove 2 files, 2.0 KB\n"
    assert len(logged_in.blobs) == 2
    assert farm("tidy", "--yes", "--json").data == {
        "dry_run": False, "files": 2, "size_bytes": 2000, "names": [],
    }  # fmt: skip
    assert farm("tidy", "--yes").err == (
        "there is nothing to remove; uploads of the last day stay without --recent\n"
    )
    assert farm("tidy", "--yes", "--recent").err == "there is nothing to remove\n"


def test_logs_of_failed_tasks_are_found(farm, logged_in):
    logged_in.jobs[JOB] = a_job_info()
    logged_in.logs = {3: "line one\n\tline \x1b]0;title\x07two\n", 4: "other"}

    assert farm("logs", JOB, 3).out == "line one\n\tline \\x1b]0;title\\x07two\n"
    assert farm("logs", JOB, "--json").data["logs"] == {
        "3": "line one\n\tline \x1b]0;title\x07two\n", "4": "other",
    }  # fmt: skip
    assert "task 4:" in farm("logs", JOB).err


def test_download_goes_to_a_folder_of_the_jobs_name(farm, logged_in, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    logged_in.jobs[JOB] = a_job_info(name="../../chairs {model}")
    logged_in.add_file("a_b/images/x.png", b"picture")

    done = farm("download", JOB)

    assert done.code == 0
    assert (tmp_path / "chairs-model/a_b/images/x.png").read_bytes() == b"picture"
    assert "1 file fetched, 0 were there: 7 B" in done.err
    assert farm("download", JOB, "--json").data["there"] == 1


def test_a_download_with_a_wrong_file_fails(farm, logged_in, tmp_path):
    logged_in.jobs[JOB] = a_job_info()
    logged_in.add_file("../evil", b"evil")

    done = farm("download", JOB, "--output", tmp_path / "out")

    assert done.code == 1
    assert "failed: ../evil: is not a name that can be written" in done.err
    assert "1 failed" in done.err


def test_a_farm_that_is_away_is_one_sentence(farm, home, monkeypatch):
    monkeypatch.setattr("farm.cli.remote.farm_options.QUICK_S", 0.0)
    monkeypatch.setenv("FARM_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("FARM_TOKEN", TOKEN)

    done = farm("jobs")

    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("error: http://127.0.0.1:1 does not answer")


MADE = typer.main.get_command(make_app()).commands


@pytest.mark.parametrize("name", [command.__name__ for command in COMMANDS[USE]])
def test_every_command_of_a_farms_user_has_help_and_an_example(name):
    command = MADE[name]

    assert command.help.splitlines()[0].endswith(".")
    assert f"Example:  farm {name}" in command.help
    assert any("--json" in option.opts for option in command.params)


def test_the_client_is_had_from_the_package_without_loading_it_first():
    code = (
        "import sys, farm; assert 'httpx' not in sys.modules; "
        "from farm import Client; assert Client.__module__ == 'farm.client.client'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
