"""An S3 server on the loopback interface, and fresh places in its bucket."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

BUCKET = "farm"


@contextmanager
def s3_server() -> Iterator[str]:
    """Run an S3 server; give its address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def bucket_environment(endpoint: str) -> dict[str, str]:
    """Return the variables with which a process finds the buckets at `endpoint`."""
    return {
        "FARM_S3_ENDPOINT": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def make_place(endpoint: str, patch: pytest.MonkeyPatch) -> str:
    """Return an empty place in a bucket, with this process's environment set to reach it."""
    for name, value in bucket_environment(endpoint).items():
        patch.setenv(name, value)
    from farm.storage.bucket import BucketStorage

    files = BucketStorage(f"s3://{BUCKET}").files
    files.call_s3("create_bucket", Bucket=BUCKET)
    return f"s3://{BUCKET}/{secrets.token_hex(4)}/root"
