"""What can go wrong on the way to an asset, sorted by what to do about it.

FarmError
├── ItemError         this asset cannot be had; the others can
│   └── ExpiredError  its link is worth nothing any more: ask for another one
├── SourceError       the site does not answer as it should
└── SiteRefusedError  the site does not want us now: stop asking
"""

from __future__ import annotations

from farm.errors import FarmError


class ItemError(FarmError):
    """One asset that cannot be had."""


class ExpiredError(ItemError):
    """A link that is no longer good."""


class SourceError(FarmError):
    """A site that is away or says what nobody understands."""


class SiteRefusedError(FarmError):
    """A site that has refused the key or us; asking on would be rude."""
