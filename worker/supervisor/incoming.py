"""What comes out of the queue is looked at before Celery sees it: nothing there ends a worker."""

from __future__ import annotations

import base64
import functools
import json
import logging
from collections.abc import Callable
from queue import Empty
from typing import Any, ClassVar, Literal

from kombu.transport import redis as kombu_redis
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from farm.queue import QUEUE
from farm.spec.quote import quoted
from farm.spec.task import Ticket

log = logging.getLogger(__name__)

TRANSPORT = f"{__name__}:CarefulTransport"
"""How Celery finds the transport."""
MOST_BYTES = 64 << 20
"""Longest message; the longest that a farm sends, of a million views, is a quarter of it."""
STUMBLES = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What is raised over bytes that are not what they should be."""
KeepAside = Callable[[bytes, str], None]
"""Takes what is not a message, and why."""


class UnfitError(Exception):
    """Bytes that are not a message of the farm."""


class Headers(BaseModel):
    """What is read of a message's headers; all else is as the farm always sends it."""

    model_config = ConfigDict(strict=True)

    task: Literal["farm.render"]  # `RENDER_TASK`, which a type cannot name
    id: str = Field(max_length=1000)
    argsrepr: str = Field(default="", max_length=10_000)


class Delivery(BaseModel):
    """Where a message came from, for the broker's own use."""

    model_config = ConfigDict(strict=True)

    delivery_tag: str = Field(max_length=1000)
    body_encoding: Literal["base64"]


class Envelope(BaseModel):
    """A message as kombu puts it into Redis."""

    model_config = ConfigDict(strict=True)

    body: str
    content_type: Literal["application/json"] = Field(alias="content-type")
    content_encoding: Literal["utf-8"] = Field(alias="content-encoding")
    headers: Headers
    properties: Delivery


def checked(item: bytes) -> bytes:
    """Return a message with what the farm puts into one, and nothing else.

    Raises:
        UnfitError: It is not one, or names no task.
    """
    if len(item) > MOST_BYTES:
        raise UnfitError(f"it has {len(item):,} bytes")
    try:
        envelope = Envelope.model_validate_json(item)
        args, kwargs, embedded = json.loads(base64.b64decode(envelope.body, validate=True))
        (message,) = args
        Ticket.model_validate(message["ticket"])
        wanted = not kwargs and not any(embedded.values())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnfitError(f"{where}: {first['msg']}" if where else first["msg"]) from error
    except STUMBLES as error:
        raise UnfitError(f"its body is not a task: {error!r:.200}") from error
    if not wanted:
        raise UnfitError("it asks for more than one task")
    return written(envelope)


def written(envelope: Envelope) -> bytes:
    """Return a message as the farm sends it."""
    headers, properties = envelope.headers, envelope.properties
    words = {"argsrepr": headers.argsrepr, "kwargsrepr": ""}
    return json.dumps(
        {
            "body": envelope.body,
            "content-type": envelope.content_type,
            "content-encoding": envelope.content_encoding,
            "headers": {"lang": "py", "task": headers.task, "id": headers.id, **words},
            "properties": {
                "correlation_id": headers.id,
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": QUEUE},
                "body_encoding": properties.body_encoding,
                "delivery_tag": properties.delivery_tag,
            },
        }
    ).encode()


class CarefulClient(kombu_redis.PrefixedStrictRedis):
    """A client of Redis that hands out messages of the farm alone."""

    def parse_response(self, connection: Any, command_name: str, **options: Any) -> Any:
        found = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]
        if command_name != "BRPOP" or not found:
            return found
        place, item = found
        try:
            return place, checked(item)
        except UnfitError as error:
            CarefulTransport.keep_aside(item, str(error))
            return None  # as if there had been none


class CarefulQoS(kombu_redis.QoS):
    """Gives back to the queue what a worker took and lost, if it can be read."""

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: Any = False) -> None:  # noqa: FBT002  kombu's
        try:
            super().restore_by_tag(tag, client, leftmost)  # type: ignore[no-untyped-call]
        except STUMBLES as error:
            with self.channel.conn_or_acquire(client) as free:
                item = free.hget(self.unacked_key, tag) or b""
            self._remove_from_indices(tag).execute()  # type: ignore[no-untyped-call]
            CarefulTransport.keep_aside(item, f"taken by a worker: {error!r:.200}")


class CarefulChannel(kombu_redis.Channel):
    """Reads the queue with a careful client."""

    QoS = CarefulQoS

    def _receive_one(self, client: Any) -> Any:
        """Take one message that is sent to all workers; of ones that nest too deeply, none."""
        try:
            return super()._receive_one(client)  # type: ignore[no-untyped-call]
        except RecursionError as error:
            CarefulTransport.keep_aside(b"", f"sent to all workers: {error!r:.200}")
            raise Empty from None

    def _get_client(self) -> Any:
        super()._get_client()  # type: ignore[no-untyped-call]  # it looks at versions
        return functools.partial(CarefulClient, global_keyprefix=self.global_keyprefix)


class CarefulTransport(kombu_redis.Transport):
    """Kombu's transport for Redis, which sets aside what is not a message of the farm.

    Broadcasts to all workers, such as Flower's, are delivered only where they are whole.
    """

    Channel = CarefulChannel
    keep_aside: ClassVar[KeepAside] = staticmethod(lambda item, reason: None)
    """The process's own: kombu makes the transport itself."""

    def _deliver(self, message: Any, queue: str) -> None:
        try:
            super()._deliver(message, queue)  # type: ignore[no-untyped-call]
        except STUMBLES as error:
            CarefulTransport.keep_aside(quoted(message).encode(), f"{queue}: {error!r:.200}")


class RejectedMessages:
    """Sets aside what is not a message; each reason is logged once."""

    def __init__(self, keep: Callable[[str, str, bytes], None], node: str) -> None:
        self._keep = keep
        self._node = node
        self._told: set[str] = set()

    def __call__(self, item: bytes, reason: str) -> None:
        """Keep an item; where Redis is away, it is gone."""
        if reason not in self._told:
            self._told.add(reason)
            log.warning("message set aside, it is not from the farm: %s", reason)
        try:
            self._keep("message", self._node, item)
        except Exception:  # the door: a message that is none must not end a worker
            log.warning("a message that is not from the farm could not be kept", exc_info=True)
