"""The Celery application and its settings; tasks are sent by name, the ledger keeps the truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from celery import Celery
from kombu.entity import Exchange, Queue
from kombu.exceptions import OperationalError

from farm.errors import DamagedLedgerError, UnreachableError
from farm.spec.task import RenderMessage, RenderTask

RENDER_TASK = "farm.render"
"""Name of the one task that the farm sends and the worker registers."""
QUEUE = "render"
"""The queue that all workers listen to."""
INBOX_PREFIX = "inbox."
"""Start of the names of inboxes, which belong to one worker each; they sort before `QUEUE`."""
INBOX_TTL_S = 3600.0
"""Longest time that messages stay in the inbox of a worker that is gone."""
PREFIX = "farm:"
PRIORITIES = (0, 3, 6, 9)
BINDINGS = (QUEUE, "celery.pidbox", "reply.celery.pidbox", "celeryev")


def keys_of(queue: str) -> dict[str, str]:
    """Return the keys in Redis of a queue: one list per priority."""
    steps = (f"\x06\x16{step}" if step else "" for step in PRIORITIES)
    return {f"{PREFIX}{queue}{step}": "list" for step in steps}


KEYS: dict[str, str] = {
    **keys_of(QUEUE),
    **{f"{PREFIX}_kombu.binding.{name}": "set" for name in BINDINGS},
    f"{PREFIX}unacked": "hash",
    f"{PREFIX}unacked_index": "zset",
    f"{PREFIX}unacked_mutex": "string",
}
"""The keys of kombu in Redis, and the kind of each."""

URGENT, NORMAL, PATIENT = 0, 3, 6
"""Celery's priorities: the lowest number goes first."""

MESSAGES_ONLY: dict[str, Any] = {
    "task_ignore_result": True,
    "result_backend": None,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_acks_late": False,  # the ledger, not the broker, gives a lost task back
    "task_acks_on_failure": True,
    "task_acks_on_timeout": True,
    "task_default_queue": QUEUE,
    "task_send_sent_event": False,
    "task_create_missing_queues": False,
}

WORKER: dict[str, Any] = {
    "worker_pool": "prefork",
    "worker_pool_start_method": "spawn",  # bpy does not survive a fork
    "worker_concurrency": 1,
    "worker_proc_alive_timeout": 300,  # else a child that starts slowly is killed for ever
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    "worker_enable_prefetch_count_reduction": False,
    "worker_cancel_long_running_tasks_on_connection_loss": True,  # spares early acks, and a warning
    "worker_send_task_events": True,
    "worker_redirect_stdouts": False,
    "worker_hijack_root_logger": True,
    "worker_log_color": False,
}

REDIS: dict[str, Any] = {
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_channel_error_retry": True,  # Redis may refuse for a while, as after a failover
    "broker_transport_options": {
        "visibility_timeout": 900,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "unacked_mutex_expire": 30,
        "global_keyprefix": PREFIX,
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "priority_steps": list(PRIORITIES),
        "queue_order_strategy": "sorted",  # within a priority
        "max_retries": 1,  # of one call; callers retry in their own way
        "interval_start": 0.1,
    },
}


class TaskQueue(Protocol):
    """Where the dispatcher puts tasks; a message may get lost or arrive twice."""

    def put(self, message: RenderMessage, *, priority: int, inbox: str | None = None) -> None:
        """Append a task, for all or into an inbox; a job of a higher priority goes first."""

    def length(self, inbox: str | None = None) -> int:
        """Return how many messages no worker has fetched yet, of those for all or of an inbox."""

    def keys(self, inboxes: Iterable[str] = ()) -> Mapping[str, str]:
        """Return the keys in Redis that it needs, and the kind of each."""


def create_celery(redis_url: str) -> Celery:
    """Return the farm's Celery application on a Redis."""
    app = Celery("farm", broker=redis_url, set_as_current=False)
    app.conf.update(MESSAGES_ONLY | WORKER | REDIS)
    return app


class CeleryQueue:
    """The queue that workers listen to."""

    def __init__(self, redis_url: str) -> None:
        self.app = create_celery(redis_url)

    def put(self, message: RenderMessage, *, priority: int, inbox: str | None = None) -> None:
        ticket = message.ticket
        try:
            self.app.send_task(
                RENDER_TASK,
                args=(message.model_dump(mode="json"),),
                argsrepr=describe(message.task),
                kwargsrepr="",
                task_id=f"{ticket.job_id}.{ticket.index}.{ticket.attempt}",
                priority=celery_priority(priority),
                retry=False,
                **({"queue": inbox_queue(inbox)} if inbox else {}),
            )
        except OperationalError as error:
            raise UnreachableError("Redis cannot be reached") from error

    def length(self, inbox: str | None = None) -> int:
        name, arguments = inbox or QUEUE, inbox_arguments() if inbox else None
        with self.app.connection_or_acquire() as connection:
            try:
                found = connection.default_channel.queue_declare(name, arguments=arguments)
                return int(found.message_count)
            except (OperationalError, *connection.connection_errors) as error:
                raise UnreachableError("Redis cannot be reached") from error
            except connection.channel_errors as error:  # the dispatcher sees to it
                raise DamagedLedgerError("key", PREFIX + name, str(error)) from error

    def keys(self, inboxes: Iterable[str] = ()) -> Mapping[str, str]:
        return KEYS | {key: kind for inbox in inboxes for key, kind in keys_of(inbox).items()}

    def close(self) -> None:
        """Close the connections."""
        self.app.close()


def inbox_of(worker: str) -> str:
    """Return the name of a worker's inbox."""
    return INBOX_PREFIX + worker


def inbox_queue(inbox: str) -> Queue:
    """Return an inbox as Celery knows it: a list in Redis that expires with its worker."""
    return queue_on("", inbox, inbox_arguments())


def shared_queue() -> Queue:
    """Return the queue of all workers, as Celery itself would make it."""
    return queue_on(QUEUE, QUEUE, None)


def queue_on(exchange: str, name: str, arguments: dict[str, int] | None) -> Queue:
    """Return a queue as Celery knows it."""
    entity: Any = Queue  # it ships no types
    place: Any = Exchange
    found: Queue = entity(name, place(exchange), routing_key=name, queue_arguments=arguments)
    return found


def inbox_arguments() -> dict[str, int]:
    """Return the arguments that every use of an inbox needs."""
    return {"x-expires": round(INBOX_TTL_S * 1000)}


def celery_priority(priority: int) -> int:
    """Return a job's priority as Celery counts."""
    if priority == 0:
        return NORMAL
    return URGENT if priority > 0 else PATIENT


def describe(task: RenderTask) -> str:
    """Return what Flower shows of a task: its title, and its views."""
    views = f"{task.views[0].index}..{task.views[-1].index}" if task.views else "none"
    return f"{task.title} · views {views}"
