"""Assets of the library that are taken again for a new job: whole, as the newest job has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath

from farm.api.asking import forms
from farm.api.asking.forms import NamedFile
from farm.api.problems import ApiProblem, not_found
from farm.api.shelf.assets import created
from farm.api.shelf.index import ShelfIndex
from farm.spec.asset import KINDS, Asset
from farm.spec.recipes import all_roles


def assets(
    index: ShelfIndex, sees: Callable[[str], bool], files: Sequence[NamedFile]
) -> tuple[Asset, ...]:
    """Return assets as a submission takes them.

    Raises:
        ApiProblem: One is not there, or is no file of its role.
    """
    index.refresh()
    known = {file.sha256: newest(index, sees, file.sha256) for file in files}
    named = forms.named(
        [file.model_copy(update={"name": known[file.sha256].name}) for file in files]
    )
    return tuple(fitted(asset, known[asset.sha256]) for asset in named)


def newest(index: ShelfIndex, sees: Callable[[str], bool], sha256: str) -> Asset:
    """Return an asset as the newest job has it that took it.

    Raises:
        ApiProblem: There is none.
    """
    held = index.asset(sha256, sees)
    for job_id in sorted(held.job_ids, key=lambda each: -created(index, each)) if held else ():
        job = index.book.load(job_id)
        for asset in job.assets if job else ():
            if asset.sha256 == sha256:
                return asset
    raise not_found(f"asset {sha256[:12]}", "list the assets: GET /v1/assets/shelf")


def fitted(named: Asset, known: Asset) -> Asset:
    """Return an asset in the role that it is asked for.

    Raises:
        ApiProblem: It cannot have that role.
    """
    suffixes = KINDS[all_roles()[named.role].kind].suffixes
    if PurePath(named.name).suffix.lower() not in suffixes:
        raise ApiProblem(
            422,
            f"{named.role}: {named.name} is not {KINDS[named.kind].phrase} ({', '.join(suffixes)})",
            "leave it out",
        )
    taken = {
        "size_bytes": known.size_bytes,
        "credit": known.credit,
        "dependencies": known.dependencies,
    }
    taken |= {"in_library": known.in_library, "path": known.path}
    taken |= {"scene": known.scene} if known.kind == named.kind else {}
    return named.model_copy(update=taken)
