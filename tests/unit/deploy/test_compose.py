"""docker-compose.yml and the Dockerfiles, as far as they can be read without Docker."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
SERVICES = yaml.safe_load(COMPOSE)["services"]
LOCKS = {"Dockerfile.api": "requirements-api.lock", "Dockerfile.worker": "requirements-worker.lock"}


def test_each_variable_is_explained_in_the_example():
    asked = set(re.findall(r"\$\{(\w+)", COMPOSE))
    passed = {name for name, value in yaml.safe_load(COMPOSE)["x-environment"].items() if not value}
    example = (ROOT / ".env.example").read_text()

    explained = set(re.findall(r"^#? ?(\w+)=", example, re.MULTILINE))

    assert asked | passed <= explained


def test_the_example_holds_no_password():
    example = (ROOT / ".env.example").read_text().splitlines()

    assert {"FARM_REDIS_PASSWORD=", "FARM_FLOWER_AUTH="} <= set(example)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_locked_in_bounded_and_started_again(name):
    service = SERVICES[name]

    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == ("no" if name == "warm-kernels" else "unless-stopped")
    assert service["user"] != "root"
    assert service["logging"]["options"]["max-size"]
    assert service["deploy"]["resources"]["limits"]["memory"]


def test_only_the_api_and_flower_are_published():
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"api", "flower"}
    assert SERVICES["flower"]["ports"][0].startswith("${FARM_FLOWER_ADDRESS:-127.0.0.1}")


def test_kernels_are_compiled_before_a_gpu_worker_starts():
    before = SERVICES["worker"]["depends_on"]["warm-kernels"]
    assert before == {"condition": "service_completed_successfully"}
    assert SERVICES["warm-kernels"]["command"][-1] == "--warm-kernels"
    assert SERVICES["warm-kernels"]["volumes"] == SERVICES["worker"]["volumes"]


def test_a_gpu_worker_never_renders_on_the_cpu():
    assert "--require-gpu" in SERVICES["worker"]["command"]
    (device,) = SERVICES["worker"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia"
    assert device["capabilities"] == ["gpu"]


@pytest.mark.parametrize(("dockerfile", "lock"), LOCKS.items())
def test_an_image_installs_pinned_packages_alone_and_is_not_root(dockerfile, lock):
    text = (ROOT / dockerfile).read_text()

    assert f"--require-hashes --no-compile -r {lock}" in text
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"debian:trixie-slim"}
    assert "USER 10001:10001" in text
    assert "cuda-toolkit" not in text


def test_the_api_carries_no_blender():
    lock = (ROOT / LOCKS["Dockerfile.api"]).read_text()

    names = re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE)

    assert "fastapi" in names
    assert "bpy" not in names


@pytest.mark.parametrize("lock", LOCKS.values())
def test_images_install_the_versions_that_are_tested(lock):
    def pins(name):
        text = (ROOT / name).read_text()
        return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", text, re.MULTILINE))

    tested, installed = pins("requirements.lock"), pins(lock)

    assert {name: tested[name] for name in installed if name in tested} == {
        name: version for name, version in installed.items() if name in tested
    }
