"""One message in the worker's main process: its bounds, and what became of the renderer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from billiard.einfo import ExceptionWithTraceback
from celery.exceptions import TimeLimitExceeded
from celery.worker.request import Request
from pydantic import ValidationError

from farm.errors import DeviceError
from farm.spec.task import RenderTask, Ticket
from worker.supervisor.heartbeat import Heartbeat, RendererDeath
from worker.supervisor.time_limit import TimeLimits
from worker.supervisor.watchdog import Watchdog

SCRIPT_REMEDIES = {
    "timeout": "; or its script waits for what never comes",
    "memory": "; or let the script hold less",
    "killed": "; its script may start too much, or break Blender",
}
"""What is added where a script may be why."""
TIMEOUT_REMEDY = "allow more time with FARM_TASK_TIMEOUT_SCALE, or lower views_per_task"


def watched_request(
    heartbeat: Heartbeat,
    give_up: Callable[[str], None],
    *,
    guard: Watchdog,
    time_limits: TimeLimits,
) -> type[Request]:
    """Return a request that bounds the renderer's process and tells what happens to it."""

    class WatchedRequest(Request):  # type: ignore[misc]  # Celery ships no types
        """Runs in the main process."""

        def execute_using_pool(self, pool: Any, **kwargs: Any) -> Any:
            with contextlib.suppress(ValidationError):  # whoever renders it will say so
                task = RenderTask.model_validate(self.args[0]["task"])
                self.time_limits = (time_limits.limit_s(task), None)
            return super().execute_using_pool(pool, **kwargs)

        def on_accepted(self, pid: int, time_accepted: float) -> None:
            guard.watch(pid)
            super().on_accepted(pid, time_accepted)

        def on_success(self, failed__retval__runtime: Any, **kwargs: Any) -> None:
            time_limits.warm(self.worker_pid)
            super().on_success(failed__retval__runtime, **kwargs)

        def on_failure(self, exc_info: Any, *args: Any, **kwargs: Any) -> None:
            error = exc_info.exception
            error = error.exc if isinstance(error, ExceptionWithTraceback) else error
            if isinstance(error, DeviceError):
                give_up(str(error))
            elif is_death(error, told=bool(kwargs.get("return_ok"))):
                self._tell(*story_of(error, guard.tell(self.worker_pid)))
            super().on_failure(exc_info, *args, **kwargs)

        def _tell(self, cause: str, sentence: str) -> None:
            body = self.args[0]
            ticket, task = Ticket.model_validate(body["ticket"]), body["task"]
            told = f"{name_of(task)}: {sentence}{remedy_of(task, cause)}"
            heartbeat.report(RendererDeath(ticket, cause, told, task["task_id"]))

    return WatchedRequest


def script_of(task: Mapping[str, Any]) -> str | None:
    """Return what the user calls the script that a task runs, if it runs any."""
    names = [asset["name"] for asset in task.get("assets", ()) if asset.get("kind") == "script"]
    return str(names[0]) if names else None


def name_of(task: Mapping[str, Any]) -> str:
    """Return what people call a task: its script, or else its title."""
    return script_of(task) or str(task.get("title", task["task_id"]))  # the first release had none


def remedy_of(task: Mapping[str, Any], cause: str) -> str:
    """Return what else may be why, where a task runs a script."""
    return "" if script_of(task) is None else SCRIPT_REMEDIES.get(cause, "")


def is_death(error: BaseException, *, told: bool) -> bool:
    """Say whether a renderer's process is gone with its task.

    Args:
        error: What Celery says of it.
        told: It came from the process itself, which continues, or handed its task back and makes
            room for a fresh one.
    """
    return isinstance(error, TimeLimitExceeded) or not (told or isinstance(error, SystemExit))


def story_of(error: BaseException, starved: tuple[str, str] | None) -> tuple[str, str]:
    """Return why a renderer's process is gone: the cause, and a sentence.

    Args:
        error: What Celery says of it.
        starved: What the guard says, if what the process took may be why: the cause, a sentence.
    """
    if isinstance(error, TimeLimitExceeded):
        return "timeout", f"not done after {error.args[0]:.0f} s; {TIMEOUT_REMEDY}"
    if starved and "SIGKILL" in str(error):
        return starved
    return "killed", f"the renderer's process died: {error}"
