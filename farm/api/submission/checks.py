"""What must hold of a submission, from its words to its files: each mistake is one sentence."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

from pydantic_core import PydanticSerializationError

from farm import expand
from farm.api.problems import SEND_AGAIN, ApiProblem
from farm.api.services import Services
from farm.api.settings import ApiSettings
from farm.api.submission.scenes import fact_mistakes
from farm.library import blob_key, files_of
from farm.spec.asset import KINDS, MOST_UPS, Asset
from farm.spec.counted import counted
from farm.spec.hint import hint
from farm.spec.job import Job
from farm.spec.recipes import of_role
from farm.spec.wire import SHA256_PATTERN, Submission, TokenInfo

ASSET_ID = re.compile(r"[0-9A-Za-z_-]{1,80}")
HASH = re.compile(SHA256_PATTERN)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
NAME_BYTES = 255
PATH_BYTES = 1024
MAX_ASSETS = 50_000
MAX_DEPENDENCIES = 10_000
CREDIT_CHARS = 2000
SENTENCES_TOLD = 20
ASKED_AT_ONCE = 16


def check_text(submission: Submission) -> None:
    """Raise ApiProblem if a text could not be stored as JSON: it holds half a character."""
    try:
        submission.model_dump_json()
    except PydanticSerializationError:
        raise ApiProblem(422, "a text in it is not valid Unicode", SEND_AGAIN) from None


def raise_for(sentences: Iterable[str]) -> None:
    """Raise ApiProblem if there is anything to say."""
    told: list[str] = []
    for sentence in sentences:
        if len(told) == SENTENCES_TOLD:
            told.append("... and more")
            break
        told.append(sentence)
    if told:
        raise ApiProblem(422, "\n".join(told), SEND_AGAIN)


def mistakes(submission: Submission, settings: ApiSettings) -> Iterator[str]:
    """Yield what is wrong with the assets of a submission."""
    roles = submission.spec.recipe.roles
    for name in {asset.role for asset in submission.assets} - {role.name for role in roles}:
        taken = ", ".join(role.name for role in roles)
        near = hint(name, [role.name for role in roles])
        yield (
            f"assets: {name[:80]!r} is not a role of {submission.spec.recipe.kind}: {taken}{near}"
        )
    for role in roles:
        assets = of_role(submission.assets, role.name)
        if len(assets) > MAX_ASSETS:
            yield f"{role.name}: {counted(len(assets), 'asset')} are more than {MAX_ASSETS:,}"
            return
        yield from double_ids(role.name, assets)
        for at, asset in enumerate(assets):
            place = f"{role.name}.{at}"
            if asset.kind != role.kind:
                yield f"{place}.kind: {asset.kind!r} is not {role.kind!r}"
            yield from asset_mistakes(place, asset, settings)


def double_ids(field: str, assets: Sequence[Asset]) -> Iterator[str]:
    """Yield the ids that more than one asset has, also where case does not count."""
    for name, times in Counter(asset.id.casefold() for asset in assets).items():
        if times > 1:
            yield f"{field}: {times} assets have the id {name[:80]!r}"


def asset_mistakes(place: str, asset: Asset, settings: ApiSettings) -> Iterator[str]:
    """Yield what is wrong with one asset."""
    if not ASSET_ID.fullmatch(asset.id):
        yield f"{place}.id: {asset.id[:80]!r} is not 1 to 80 of the characters 0-9 A-Z a-z _ -"
    if not is_plain_name(asset.name):
        yield f"{place}.name: {asset.name[:80]!r} is not a plain file name"
    elif not asset.name.lower().endswith(KINDS[asset.kind].suffixes):
        suffixes = ", ".join(KINDS[asset.kind].suffixes)
        yield f"{place}.name: {asset.name[:80]!r} does not end in {suffixes}"
    if asset.in_library and asset.path != asset.name:
        yield f"{place}.path: must be the file name of a library asset, {asset.name[:80]!r}"
    yield from file_mistakes(place, asset.sha256, asset.size_bytes, settings)
    told = asset.credit.model_dump(exclude={"tags"}).values()
    if any(len(text) > CREDIT_CHARS for text in (*told, "".join(asset.credit.tags)) if text):
        yield f"{place}.credit: a field has more than {CREDIT_CHARS} characters"
    yield from dependency_mistakes(place, asset, settings)
    if asset.scene is not None:
        if asset.kind != "scene":
            yield f"{place}.scene: only scenes have it"
        yield from fact_mistakes(f"{place}.scene", asset.scene)


def file_mistakes(place: str, sha256: str, size_bytes: int, settings: ApiSettings) -> Iterator[str]:
    """Yield what is wrong with the facts of one file."""
    if not HASH.fullmatch(sha256):
        yield f"{place}.sha256: {sha256[:80]!r} is not a SHA-256"
    if not 0 <= size_bytes <= settings.max_asset_bytes:
        yield f"{place}.size_bytes: {size_bytes} is not between 0 and {settings.max_asset_bytes}"


def dependency_mistakes(place: str, asset: Asset, settings: ApiSettings) -> Iterator[str]:
    """Yield what is wrong with the files that an asset needs."""
    if len(asset.dependencies) > MAX_DEPENDENCIES:
        yield f"{place}.dependencies: {len(asset.dependencies)} are more than {MAX_DEPENDENCIES}"
        return
    paths = {asset.name.casefold()}
    for at, file in enumerate(asset.dependencies):
        inner = f"{place}.dependencies.{at}"
        if not is_dependency_path(file.path):
            yield f"{inner}.path: {file.path[:80]!r} is not a plain relative path"
        elif file.path.casefold() in paths:
            yield f"{inner}.path: {file.path[:80]!r} occurs twice"
        paths.add(file.path.casefold())
        yield from file_mistakes(inner, file.sha256, file.size_bytes, settings)


def is_plain_name(name: str) -> bool:
    """Say whether a name is that of a file, in no other folder and without tricks."""
    return (
        name not in ("", ".", "..")
        and not set(name) & set("/\\")
        and not CONTROL.search(name)
        and len(name.encode(errors="replace")) <= NAME_BYTES
    )


def is_dependency_path(path: str) -> bool:
    """Say whether a path is relative and plain; `..` is allowed only at its beginning."""
    if len(path.encode(errors="replace")) > PATH_BYTES or path != posixpath.normpath(path):
        return False
    parts = path.split("/")
    ups = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
    return ups <= MOST_UPS and ups < len(parts) and all(is_plain_name(part) for part in parts[ups:])


def check_shared(submission: Submission, settings: ApiSettings) -> None:
    """Let assets without an upload pass only from the folders that the farm shares.

    Raises:
        ApiProblem: An asset lies elsewhere.
    """
    folders = settings.shared_folders
    for asset in submission.assets:
        if asset.in_library:
            continue
        own = PurePosixPath(asset.path)
        paths = [own, *(own.parent / file.path for file in asset.dependencies)]
        for path in paths:
            if not is_shared(path, folders):
                raise ApiProblem(
                    403,
                    f"{str(path)[:PATH_BYTES]!r} is not in a folder that this farm shares with "
                    "its workers",
                    "submit without --on-shared-storage, or have the folder added to "
                    "FARM_SHARED_STORAGE",
                )


def is_shared(path: PurePosixPath, folders: Sequence[PurePosixPath]) -> bool:
    """Say whether an absolute path lies in one of `folders`, `..` or not."""
    plain = PurePosixPath(posixpath.normpath(path))
    return (
        path.is_absolute()
        and not CONTROL.search(str(path))
        and any(plain != folder and plain.is_relative_to(folder) for folder in folders)
    )


def job_mistakes(job: Job, settings: ApiSettings) -> Iterator[str]:
    """Yield what is wrong with a job as a whole.

    Raises:
        SpecError: Two of its datasets would have the same name.
    """
    tasks = expand.count(job).tasks
    if tasks > settings.max_tasks:
        most = f"this farm takes at most {settings.max_tasks:,}"
        yield f"spec: makes {counted(tasks, 'task')}; {most}"
        return
    yield from expand.mistakes(job)
    folders = (job.spec.dataset_name or "x").split("/")
    if not all(is_plain_name(folder) and not folder.startswith(".") for folder in folders):
        yield f"dataset_name: {job.spec.dataset_name!r} is not a plain path"
    for dataset in expand.datasets(job):
        if any(len(part.encode()) > NAME_BYTES for part in dataset.split("/")):
            yield f"dataset_name: makes a folder's name too long: {dataset[:120]}"
            return


def missing_bytes(services: Services, caller: TokenInfo, job: Job) -> int:
    """Return how many bytes somebody would have to upload for a job."""
    wanted = wanted_files(job)
    missing = services.uploads.missing(list(wanted), caller)
    return sum(wanted[sha256][0] for sha256 in missing)


def wanted_files(job: Job) -> dict[str, tuple[int, str]]:
    """Return size and name of the files that a job needs from the library, by hash."""
    return {
        file.sha256: (file.size_bytes, f"{asset.name}: {file.path}")
        for asset in job.assets
        if asset.in_library
        for file in files_of(asset)
    }


def missing_files(services: Services, caller: TokenInfo, job: Job) -> Iterator[str]:
    """Yield which files the library lacks for somebody, or has in another size."""
    wanted = wanted_files(job)
    if not services.uploads.sees_all(caller):
        mine = services.holdings.uploads(caller.name)
        hidden = [sha256 for sha256 in wanted if sha256 not in mine]
        yield from (not_there(wanted[sha256][1], sha256) for sha256 in hidden)
        wanted = {sha256: file for sha256, file in wanted.items() if sha256 in mine}
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:  # a bucket answers one after another
        sizes = pool.map(lambda sha256: services.storage.size(blob_key(sha256)), wanted)
        for (sha256, (size_bytes, name)), found in zip(wanted.items(), sizes, strict=True):
            if found is None:
                yield not_there(name, sha256)
            elif found != size_bytes:
                yield f"{name} has {found} bytes in the library, not {size_bytes} as stated"


def not_there(name: str, sha256: str) -> str:
    """Say that the library lacks a file."""
    return f"{name} is not in the library (sha256 {sha256}); upload it first"
