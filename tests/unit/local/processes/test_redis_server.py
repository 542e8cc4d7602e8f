from __future__ import annotations

import socket

import pytest

from farm.errors import SetupError
from farm.local.processes import redis_server
from farm.local.processes.redis_server import PrivateRedis, free_port


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_another_port_is_tried_when_ours_was_snatched(tmp_path, monkeypatch, taken_port):
    ports = iter([taken_port, free_port()])
    monkeypatch.setattr(redis_server, "free_port", lambda: next(ports))

    with PrivateRedis(tmp_path) as server:
        assert server.port != taken_port
        assert f":{server.port}/" in server.url


def test_a_port_that_was_asked_for_is_never_another(tmp_path, taken_port):
    with pytest.raises(SetupError, match="Failed listening on port"):
        PrivateRedis(tmp_path, port=taken_port).start()


def test_a_server_that_was_launched_ahead_is_waited_for(tmp_path):
    server = PrivateRedis(tmp_path)
    server.launch()
    launched = server.process

    with server:
        assert server.process is launched
        assert launched.poll() is None
    assert launched.poll() is not None


def test_a_server_that_died_comes_back_where_it_was(tmp_path):
    with PrivateRedis(tmp_path) as server:
        url, died = server.url, server.process
        died.kill()
        died.wait()

        server.revive()

        assert server.process is not died
        assert server.url == url
