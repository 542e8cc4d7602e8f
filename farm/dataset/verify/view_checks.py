"""Checks of one view: its files, its picture, its mask and its labels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.dataset.images import DecodeError, decode_pass
from farm.dataset.proof.measured import USUAL, Naming
from farm.dataset.proof.proof import has_something_to_prove, prove
from farm.dataset.records.newest import number
from farm.dataset.verify.duplicates import Fingerprint, can_be_hashed, picture_bits
from farm.dataset.verify.label_checks import check_labels
from farm.dataset.verify.report import NOTES, DatasetFinding, Examined
from farm.dataset.verify.sentence_checks import SENTENCE_CHECKS, sentence_findings
from farm.errors import StorageError
from farm.soundness import strange_mask, strange_picture
from farm.spec.passes import PASSES, PassName
from farm.spec.record import FileRecord, ViewRecord
from farm.spec.task import dataset_key
from farm.storage import Storage

Arrays = dict[PassName, NDArray[Any]]
MOST_EDGE = 0.97
"""Share of a mask's pixels that are partly covered from which on a person should look."""
LEAST_PIXELS = 64
"""Smaller masks have any edge."""


def examine_view(  # noqa: PLR0913  what was asked for, and the view
    storage: Storage,
    dataset: str,
    record: ViewRecord,
    *,
    may_be_empty: bool,
    previews: bool = True,
    naming: Naming = USUAL,
) -> Examined:
    """Read all files of a view once and look at them.

    What a renderer would not have kept is wrong, by the very rules of the renderer; what else is
    strange is noted, since to render it again would give the same.

    Args:
        storage: Where they are.
        dataset: The key prefix of the view's dataset.
        record: What is known of the view.
        may_be_empty: Masks that show nothing were asked for.
        previews: Previews were, too.
        naming: How much of a thing must be seen for a sentence to name it.
    """
    seen = Examined()
    key = dataset_key(dataset, record.view.name)
    arrays = read_passes(storage, dataset, record, seen, previews=previews)
    check_alone(key, record, seen)
    if "mask" in arrays:
        check_mask(arrays["mask"], key, record, seen, may_be_empty=may_be_empty)
        if any(finding.check == "mask" for finding in seen.findings):
            del arrays["mask"]  # and nothing is measured against it
    if "rgb" in arrays:
        empty = is_empty(arrays.get("mask"), arrays["rgb"], record)
        check_picture(arrays["rgb"], key, record, seen, may_be_empty=empty)
    for check, findings in check_labels(arrays, record):
        seen.looked.append(check)
        file = "" if check in NOTES else remedy(record, dataset)
        seen.findings += [DatasetFinding(check, key, what, file) for what in findings]
    if has_something_to_prove(record):
        check_sentences(arrays, dataset, record, seen, naming)
    return seen


def check_sentences(
    arrays: Arrays, dataset: str, record: ViewRecord, seen: Examined, naming: Naming
) -> None:
    """Prove the sentences of a view, and look at what they speak of."""
    key = dataset_key(dataset, record.view.name)
    proof = prove(record, arrays, naming)
    seen.looked.append("things")
    for each in proof.sentences:
        seen.looked += SENTENCE_CHECKS
        seen.verdicts[each.expression.kind, each.verdict] += 1
    for check, what in sentence_findings(proof):
        file = "" if check in NOTES else remedy(record, dataset)
        seen.findings.append(DatasetFinding(check, key, what, file))


def check_alone(key: str, record: ViewRecord, seen: Examined) -> None:
    """Note a view of which its script makes something else when it comes after others."""
    if record.deterministic is None:
        return
    seen.looked.append("alone")
    if not record.deterministic:
        what = (
            "alone its script makes something else of it: the view hangs on those before it, so it "
            "cannot be made again; set all that it depends on in frame()"
        )
        seen.findings.append(DatasetFinding("alone", key, what))


def read_passes(
    storage: Storage, dataset: str, record: ViewRecord, seen: Examined, *, previews: bool
) -> Arrays:
    """Return the passes that are as they were recorded, and of the right shape."""
    arrays: Arrays = {}
    seen.looked += ["missing", "bytes", "decode", "shape"]
    for name, file in record.files.items():
        data = read_file(storage, dataset_key(dataset, file.path), file, seen)
        pixels = None if data is None else decode_file(data, dataset, name, record, seen)
        if pixels is not None:
            arrays[name] = pixels
    for file in record.previews.values() if previews else ():
        read_file(storage, dataset_key(dataset, file.path), file, seen)
    return arrays


def read_file(storage: Storage, key: str, file: FileRecord, seen: Examined) -> bytes | None:
    """Return the bytes of a file if they are those that were recorded."""
    try:
        data = storage.get(key)
    except StorageError as error:  # no right to read it, or a path that leads out
        seen.findings.append(DatasetFinding("missing", key, str(error)))
        return None
    if data is None:
        seen.findings.append(DatasetFinding("missing", key, "is missing"))
        return None
    seen.files += 1
    seen.size_bytes += len(data)
    if len(data) != file.size_bytes:
        what = f"has {len(data)} bytes, not {file.size_bytes}"
        seen.findings.append(DatasetFinding("bytes", key, what, key))
        return None
    if hashlib.sha256(data).hexdigest() != file.sha256:
        what = "has the recorded size but different contents (SHA-256)"
        seen.findings.append(DatasetFinding("bytes", key, what, key))
        return None
    return data


def decode_file(
    data: bytes, dataset: str, name: PassName, record: ViewRecord, seen: Examined
) -> NDArray[Any] | None:
    """Return a pass if it can be decoded and has the shape and type that it must have."""
    path = record.files[name].path
    key = dataset_key(dataset, path)
    try:
        pixels = decode_pass(data, path, name)
    except DecodeError as error:
        reason = str(error).removeprefix(f"{path}: ")
        seen.findings.append(DatasetFinding("decode", key, reason, key))
        return None
    what = describe_shape(pixels, name, record.resolution_px)
    if what:
        seen.findings.append(DatasetFinding("shape", key, what, key))
        return None
    return pixels


def describe_shape(
    pixels: NDArray[Any], name: PassName, resolution_px: tuple[int, int]
) -> str | None:
    """Say what is wrong with the shape or type of a pass, if anything is."""
    info = PASSES[name]
    if info.kind == "arrays":  # which decoding has looked at
        return None
    width, height = resolution_px
    if pixels.shape[:2] != (height, width):
        return f"is {pixels.shape[1]} x {pixels.shape[0]} pixels, not {width} x {height}"
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    wanted = {"picture": 1 if name == "mask" else 3}.get(info.kind, len(info.channels) or 1)
    if info.kind != "cryptomatte" and channels != wanted:
        return f"has {channels} channels, not {wanted}"
    types = {
        "picture": (np.uint8, np.uint16), "cutout": (np.uint8, np.uint16),
        "integers": (np.uint16,), "yes_or_no": (np.uint8,),
    }.get(info.kind, (np.float32,))  # fmt: skip
    if pixels.dtype not in types:
        return f"holds {pixels.dtype} numbers, not {' or '.join(t.__name__ for t in types)}"
    return None


def check_mask(
    mask: NDArray[Any], key: str, record: ViewRecord, seen: Examined, *, may_be_empty: bool
) -> None:
    """Look at a mask, (H, W)."""
    full = np.iinfo(mask.dtype).max
    seen.looked.append("mask")
    if what := strange_mask(mask, record.coverage):
        file = remedy(record, key.removesuffix(record.view.name).rstrip("/"), "mask")
        seen.findings.append(DatasetFinding("mask", key, what, file))
        return
    if not may_be_empty:
        seen.looked.append("empty")
        if not mask.any():
            seen.findings.append(
                DatasetFinding("empty", key, "its mask is black: nothing is visible")
            )
            return
    if np.count_nonzero(mask) < LEAST_PIXELS:
        return
    seen.looked.append("edge")
    if mask.min() == full:
        seen.findings.append(DatasetFinding("edge", key, "the mask is white all over"))
    elif mask.max() < full // 2:
        what = f"the mask is nowhere brighter than {mask.max()} of {full}: seen edge-on, or thin"
        seen.findings.append(DatasetFinding("edge", key, what))
    elif record.samples > 1:
        check_edge(edge_fraction(mask), key, seen)


def is_empty(mask: NDArray[Any] | None, rgb: NDArray[Any], record: ViewRecord) -> bool:
    """Say whether nothing of the model is in a picture, or may not be, as far as is known."""
    if mask is not None:
        return not mask.any()
    return bool(record.coverage * np.iinfo(rgb.dtype).max < 0.5)


def edge_fraction(mask: NDArray[Any]) -> float:
    """Return which share of a mask, (H, W), that shows something is partly covered pixels."""
    partial = np.count_nonzero((mask > 0) & (mask < np.iinfo(mask.dtype).max))
    return float(partial / np.count_nonzero(mask))


def check_edge(share: float, key: str, seen: Examined) -> None:
    """Look at how much of a mask is edge."""
    if share == 0:
        seen.findings.append(DatasetFinding("edge", key, "the mask's edge is not anti-aliased"))
    elif share > MOST_EDGE:
        what = f"{share:.0%} of the mask are partly covered pixels"
        seen.findings.append(DatasetFinding("edge", key, what))


def check_picture(
    pixels: NDArray[Any], key: str, record: ViewRecord, seen: Examined, *, may_be_empty: bool
) -> None:
    """Look at a picture, (H, W, 3), and keep how it looks."""
    still = record.view.moment is None  # frames of a sequence may well look alike
    seen.looked += ["flat", "same", "alike"] if still else ["flat"]
    if what := strange_picture(pixels, may_be_empty=may_be_empty):
        file = remedy(record, key.removesuffix(record.view.name).rstrip("/"), "rgb")
        seen.findings.append(DatasetFinding("flat", key, what, file))
    elif still and can_be_hashed(pixels):
        seen.look = Fingerprint(
            group=number(record.group),
            content=number(record.files["rgb"].sha256),
            bits=picture_bits(pixels),
        )


def remedy(record: ViewRecord, dataset: str, name: PassName | None = None) -> str:
    """Return the file of a view that, once deleted, makes a run render the view again."""
    files: Iterable[FileRecord] = [record.files[name]] if name else record.files.values()
    return next((dataset_key(dataset, file.path) for file in files), "")
