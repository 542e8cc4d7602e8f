"""Files of the first release, read as today's: it knew only the recipe `sod`.

Jobs, tasks and records had one list, or one asset, for models and one for HDRIs.
"""

from __future__ import annotations

from typing import Any

from farm.spec.asset import Asset

ROLES = {"model": "models", "hdr": "hdrs"}
LISTS = ("models", "hdrs")


def job_of(data: Any) -> Any:
    """Return a job, or a submission, with one list of assets."""
    if not isinstance(data, dict) or "assets" in data or not data.keys() & set(LISTS):
        return data
    lists = {name: data[name] for name in LISTS if name in data}
    if not all(isinstance(assets, list | tuple) for assets in lists.values()):
        return data
    assets = [with_role(asset, name) for name, found in lists.items() for asset in found]
    return {key: value for key, value in data.items() if key not in LISTS} | {"assets": assets}


def task_of(data: Any) -> Any:
    """Return a task with its assets, title, group and setup."""
    if not isinstance(data, dict) or "assets" in data or not ROLES.keys() <= data.keys():
        return data
    setup = {"kind": "sod", "file_lights": data.get("file_lights", False)}
    rest = {key: value for key, value in data.items() if key not in {*ROLES, "file_lights"}}
    views = data.get("views")
    if isinstance(views, list | tuple):
        rest["views"] = [view_of(view) for view in views]
    return rest | named(data) | {"setup": setup}


def record_of(data: Any) -> Any:
    """Return a record with its assets, title and group; objects know which asset they are of."""
    if not isinstance(data, dict) or "assets" in data or not ROLES.keys() <= data.keys():
        return data
    world_from_file = data.get("world_from_model")
    gone = {*ROLES, "world_from_model", "hdr_notes"}
    rest = {key: value for key, value in data.items() if key not in gone}
    if (notes := data.get("hdr_notes")) and isinstance(data["hdr"], dict):
        rest["notes"] = {data["hdr"].get("name"): notes}
    objects = data.get("objects")
    if objects and isinstance(objects, list | tuple):
        known = {"asset": 0, "world_from_file": world_from_file}
        rest["objects"] = [known | each if isinstance(each, dict) else each for each in objects]
    return rest | named(data) | {"view": view_of(data.get("view"))}


def summary_of(data: Any) -> Any:
    """Return what `dataset.json` says, with one list of assets."""
    found = job_of(data)
    if found is data or not isinstance(found["assets"], list):
        return found
    kinds = {role: kind for kind, role in ROLES.items()}
    assets = [
        {"kind": kinds.get(asset.get("role", "")), **asset} if isinstance(asset, dict) else asset
        for asset in found["assets"]
    ]
    rest = {key: value for key, value in found.items() if key != "hdr_notes"}
    notes = found.get("hdr_notes")
    return rest | {"assets": assets} | ({"notes": notes} if notes else {})


def view_of(data: Any) -> Any:
    """Return a view that says which recipe it is of."""
    return {"kind": "sod", **data} if isinstance(data, dict) else data


def named(data: dict[str, Any]) -> dict[str, Any]:
    """Return the assets of a task or record, its title and its group."""
    assets = [with_role(data[kind], role) for kind, role in ROLES.items()]
    model, hdr = map(Asset.model_validate, assets)
    return {
        "assets": assets,
        "title": f"{model.title} · {hdr.title}",
        "group": model.content,
    }


def with_role(asset: Any, role: str) -> Any:
    """Return an asset that says what it is taken for."""
    if isinstance(asset, Asset):
        return asset.model_copy(update={"role": role})
    return {**asset, "role": role} if isinstance(asset, dict) else asset
