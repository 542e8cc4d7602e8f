"""The manifests, as far as they can be checked without a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[3] / "deploy" / "kubernetes"
FILES = sorted(FOLDER.glob("*.yaml"))
KEDA, KUSTOMIZE = "keda.sh/v1alpha1", "kustomize.config.k8s.io/v1beta1"
OBJECTS = [found for file in FILES for found in yaml.safe_load_all(file.read_text())]
WORKLOADS = [found for found in OBJECTS if found["kind"] in ("Deployment", "StatefulSet")]


def named(objects):
    return [
        pytest.param(found, id=f"{found['kind']} {found['metadata']['name']}") for found in objects
    ]


@pytest.mark.parametrize(
    "manifest", named([found for found in OBJECTS if found["apiVersion"] not in (KEDA, KUSTOMIZE)])
)
def test_a_manifest_is_what_kubernetes_reads(manifest):
    """Against the schemas of Kubernetes itself; the package is large, so not everybody has it."""
    validate = pytest.importorskip("kubernetes_validate")

    validate.validate(manifest, "1.31", strict=True)


@pytest.mark.parametrize("workload", named(WORKLOADS))
def test_a_container_is_locked_in(workload):
    """As the `restricted` standard of the namespace demands, and its files cannot be changed."""
    pod = workload["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not pod["automountServiceAccountToken"]
    assert not pod["enableServiceLinks"], "a service's variables would look like our settings"
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("workload", named(WORKLOADS))
def test_what_a_pod_mounts_is_there(workload):
    pod = workload["spec"]["template"]["spec"]
    claims = {found["metadata"]["name"] for found in OBJECTS if "Claim" in found["kind"]}
    templates = workload["spec"].get("volumeClaimTemplates", [])
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
    mounted = {mount["name"] for mount in pod["containers"][0]["volumeMounts"]}

    assert mounted == set(volumes) | {found["metadata"]["name"] for found in templates}
    for volume in volumes.values():
        if "persistentVolumeClaim" in volume:
            assert volume["persistentVolumeClaim"]["claimName"] in claims


def test_workers_are_as_many_as_the_work_and_have_a_gpu_each():
    (scaler,) = [found for found in OBJECTS if found["apiVersion"] == KEDA]
    (worker,) = [found for found in WORKLOADS if found["metadata"]["name"] == "worker"]
    (container,) = worker["spec"]["template"]["spec"]["containers"]

    assert scaler["spec"]["scaleTargetRef"]["name"] == worker["metadata"]["name"]
    assert "replicas" not in worker["spec"], "applying the file again would undo KEDA's count"
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert "--require-gpu" in container["args"]


def test_workers_are_counted_by_a_metric_that_the_api_has():
    metrics = pytest.importorskip("farm.api.metrics")
    (scaler,) = [found for found in OBJECTS if found["apiVersion"] == KEDA]
    (trigger,) = scaler["spec"]["triggers"]

    source = Path(metrics.__file__).read_text()

    assert f'"{trigger["metadata"]["valueLocation"]}"' in source


def test_all_files_are_applied_but_the_secrets():
    (kustomization,) = [found for found in OBJECTS if found["apiVersion"] == KUSTOMIZE]

    assert set(kustomization["resources"]) == {file.name for file in FILES} - {
        "kustomization.yaml",
        "secrets.example.yaml",
    }
