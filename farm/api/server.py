"""`farm api`: the application on uvicorn."""

from __future__ import annotations

import logging
from types import FrameType

import uvicorn

from farm.api.app import create_app
from farm.api.services import Services
from farm.api.settings import load_api_settings
from farm.feeding.book import StreamBook
from farm.glimpses import GlimpseBook
from farm.job_store import JobStore
from farm.ledger import open_ledger
from farm.library import Library
from farm.queue import CeleryQueue
from farm.settings import Settings
from farm.storage import open_storage
from farm.tallies.book import TallyBook
from farm.tokens import TokenBook

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
STOP_S = 10
IDLE_S = 30


class Server(uvicorn.Server):
    """A server that dismisses its listeners when it is told to stop."""

    def __init__(self, config: uvicorn.Config, services: Services) -> None:
        super().__init__(config)
        self.services = services

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.services.job_feed.close()
        super().handle_exit(sig, frame)


def open_services(settings: Settings) -> Services:
    """Return the parts of the farm that `settings` names."""
    redis_url = settings.redis_url.get_secret_value()
    storage = open_storage(str(settings.storage))
    return Services(
        ledger=open_ledger(redis_url),
        queue=CeleryQueue(redis_url),
        storage=storage,
        library=Library(storage),
        book=JobStore(storage),
        tokens=TokenBook(storage),
        settings=load_api_settings(),
        glimpses=GlimpseBook(redis_url),
        tallies=TallyBook(redis_url),
        streams=StreamBook(redis_url, bound_bytes=settings.stream_bytes),
    )


def make_server(services: Services, *, host: str, port: int) -> Server:
    """Return a server that is ready to run."""
    config = uvicorn.Config(
        create_app(services, listens_on=host),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(services.settings.proxies),  # by default uvicorn believes this machine
        forwarded_allow_ips=services.settings.proxies,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=STOP_S,
    )
    return Server(config, services)


def serve(settings: Settings, *, host: str, port: int) -> None:
    """Run the API until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    services = open_services(settings)
    services.uploads.tidy()  # here it is one sentence, later it would be a traceback
    make_server(services, host=host, port=port).run()
