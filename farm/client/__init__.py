"""A farm over HTTP: the client behind the command line, usable from Python."""

from farm.client.client import Client
from farm.client.download import DownloadSummary

__all__ = ["Client", "DownloadSummary"]
