"""What the routes work with, made once and given to all."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from farm.api.access.guesses import Guesses
from farm.api.access.quotas import Quotas, Sizes
from farm.api.browser.codes import SignInCodes
from farm.api.datasets.coverage import Coverages
from farm.api.datasets.exports import Exports
from farm.api.datasets.thumbnails import Thumbnails
from farm.api.job_feed import JobFeed
from farm.api.promises import Promises
from farm.api.settings import ApiSettings
from farm.api.shelf.index import ShelfIndex
from farm.api.shelf.pictures import AssetPictures
from farm.api.shelf.words import WordShelf
from farm.api.troubles import Troubles
from farm.api.uploads import Uploads
from farm.feeding.book import StreamBook
from farm.glimpses import GlimpseBook
from farm.holdings import Holdings
from farm.job_store import JobStore
from farm.ledger import Ledger
from farm.library import Library
from farm.overview.datasets import LastLook
from farm.overview.fill import FillLog
from farm.queue import TaskQueue
from farm.spec.wire import TokenInfo
from farm.storage import Storage
from farm.tallies.book import TallyBook
from farm.tokens import TokenBook


@dataclass
class Services:
    """The parts of a farm that the API serves."""

    ledger: Ledger
    queue: TaskQueue
    storage: Storage
    library: Library
    book: JobStore
    tokens: TokenBook
    settings: ApiSettings
    streams: StreamBook | None = None
    """Samples on their way to consumers; None where this server has no streams."""
    glimpses: GlimpseBook | None = None
    """The newest pictures of jobs; None where this server shows none."""
    tallies: TallyBook | None = None
    """What jobs took; None where this server does not tell."""
    job_feed: JobFeed = field(init=False)
    uploads: Uploads = field(init=False)
    promises: Promises = field(init=False)
    holdings: Holdings = field(init=False)
    quotas: Quotas = field(init=False)
    fill: FillLog = field(init=False)
    datasets_look: LastLook = field(init=False)
    thumbnails: Thumbnails = field(init=False)
    shelf: ShelfIndex = field(init=False)
    words: WordShelf = field(init=False)
    pictures: AssetPictures = field(init=False)
    exports: Exports = field(init=False)
    guesses: Guesses = field(default_factory=Guesses)
    coverages: Coverages = field(default_factory=Coverages)
    troubles: Troubles = field(default_factory=Troubles)
    codes: SignInCodes = field(default_factory=SignInCodes)
    library_lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while assets of a job are looked for and while unused ones are removed."""
    additions_lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while it is found out what is to be added to a job, which reads all of its records;
    before `library_lock`."""

    def __post_init__(self) -> None:
        self.job_feed = JobFeed(self.ledger, self.book, self.glimpses)
        self.fill = FillLog(self.storage)
        self.datasets_look = LastLook(self.storage)
        self.thumbnails = Thumbnails(self.settings.spool_folder / "thumbnails")
        self.shelf = ShelfIndex(self.ledger, self.book)
        self.words = WordShelf(self.storage)
        shared = self.settings.shared_folders
        self.pictures = AssetPictures(
            self.shelf, self.library, self.thumbnails, shared, self.glimpses
        )
        self.exports = Exports(self.storage, self.settings.spool_folder / "exports", self.settings)
        self.holdings = Holdings(self.storage)
        sizes = Sizes(self.storage, self.book)
        self.quotas = Quotas(self.ledger, self.holdings, sizes, self.settings)
        self.uploads = Uploads(self.library, self.settings, self.holdings, self.quotas)
        self.promises = Promises(self.ledger, self.book)


def services_of(request: Request) -> Services:
    """Return the parts that an application was made with."""
    found: Services = request.app.state.services
    return found


def caller_of(request: Request) -> TokenInfo:
    """Return the token that a request came with."""
    found: TokenInfo = request.state.token
    return found


Caller = Annotated[TokenInfo, Depends(caller_of)]
FarmServices = Annotated[Services, Depends(services_of)]
