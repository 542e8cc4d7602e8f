"""A stack of containers as docker-compose.yml describes it, of the tests' own."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from farm.local.processes.redis_server import free_port

ROOT = Path(__file__).parents[2]
IMAGES = ("viewfarm-api", "viewfarm-worker")
BUILT = {"viewfarm-api": "api", "viewfarm-worker": "worker-cpu"}
WORKERS = 2
FAKE_GPUS = ("NVIDIA L40S", "NVIDIA L4")
FAKED = f"""\
    environment:
      FAKE_GPUS: "{",".join(FAKE_GPUS)}"
      PYTHONPATH: /fake:/fake/tests/fake_driver
      FARM_RENDERER: tests.support.farms.stand_in:open_stand_in
    volumes: ["{ROOT}/tests:/fake/tests:ro"]
    deploy: {{ resources: {{ reservations: !reset null }} }}
"""
OVERRIDE = f"""\
# The build reaches the package index as this machine does.
services:
  api: {{ build: {{ network: host }} }}
  worker-cpu: {{ build: {{ network: host }} }}
  # A driver with two GPUs and a renderer that needs none; how workers share them is real.
  worker:
{FAKED}
  warm-kernels:
{FAKED}
"""


@dataclass
class Stack:
    """Images, containers, networks and volumes under a name that nobody else uses."""

    folder: Path
    project: str = field(default_factory=lambda: f"viewfarm-test-{secrets.token_hex(3)}")
    api_port: int = field(default_factory=free_port)
    flower_port: int = field(default_factory=free_port)
    flower_login: str = field(default_factory=lambda: f"ada:{secrets.token_hex(12)}")
    measured: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def __post_init__(self) -> None:
        (self.folder / "override.yml").write_text(OVERRIDE)
        (self.folder / "env").write_text(
            f"FARM_REDIS_PASSWORD={secrets.token_hex(24)}\n"
            f"FARM_FLOWER_AUTH={self.flower_login}\n"
            "FARM_API_ADDRESS=127.0.0.1\n"
            f"FARM_API_PORT={self.api_port}\n"
            f"FARM_FLOWER_PORT={self.flower_port}\n"
            "FARM_WORKER_MEMORY=6g\n"
            "FARM_VERSION=test\n"
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    def build(self) -> None:
        for image, service in BUILT.items():
            self.timed(f"build {image}", "build", service)
            inspected = docker("image", "inspect", "--format", "{{.Size}}", f"{image}:test")
            self.measured[f"size {image}"] = f"{int(inspected) / 1e6:.0f} MB"

    def up(self) -> None:
        """Start everything and wait until all is healthy, as the containers themselves see it."""
        scale = f"worker-cpu={WORKERS}"
        flags = ["--detach", "--no-build", "--scale", scale, "--wait", "--wait-timeout", "300"]
        self.timed("all healthy", "up", *flags)
        self.token = self.compose(
            "exec", "-T", "api", "farm", "token", "create", "--name", "laptop", "--role", "submit"
        ).strip()

    def down(self) -> None:
        self.timed(
            "down", "--profile", "gpu", "down", "--volumes", "--remove-orphans", "--timeout", "10"
        )

    def timed(self, what: str, *args: str) -> None:
        started = time.monotonic()
        self.compose(*args)
        self.measured[what] = f"{time.monotonic() - started:.1f} s"

    def compose(self, *args: str, profile: str = "cpu") -> str:
        return docker(
            "compose",
            *("--project-name", self.project, "--profile", profile),
            *("--project-directory", str(ROOT), "--env-file", str(self.folder / "env")),
            *("--file", str(ROOT / "docker-compose.yml")),
            *("--file", str(self.folder / "override.yml")),
            *args,
        )

    def containers(self, *services: str) -> list[str]:
        """Ids of the containers that run."""
        return self.compose("ps", "--quiet", *services).split()

    def logs(self) -> str:
        return self.compose("logs", "--no-color", "--tail", "40")

    # From outside, as a laptop

    def start(self, *args: object) -> subprocess.Popen[str]:
        """Start the command of this checkout with nothing but the farm's address and a token."""
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("FARM_")},
            "FARM_URL": self.url,
            "FARM_TOKEN": self.token,
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
        }
        command = [sys.executable, "-m", "farm", *map(str, args)]
        return subprocess.Popen(
            command,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def farm(self, *args: object) -> str:
        process = self.start(*args)
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, f"farm {args[0]} ended with {process.returncode}: {err}"
        return out

    def ask(self, port: int, path: str, login: str | None = None) -> tuple[int, str]:
        """Return the status and text of an answer on a published port."""
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
        if login:
            basic = base64.b64encode(login.encode()).decode()
            request.add_header("Authorization", f"Basic {basic}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def docker(*args: str) -> str:
    """Run Docker's command; return what it prints."""
    result = subprocess.run(
        ["docker", *args],
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
        env={**os.environ, "DOCKER_BUILDKIT": "1"},
    )
    words = result.stderr[-3000:]
    assert result.returncode == 0, f"docker {args[0]} ended with {result.returncode}: {words}"
    return result.stdout


def inspect(container: str) -> dict[str, object]:
    """What the engine knows of a container."""
    (found,) = json.loads(docker("inspect", container))
    return found
