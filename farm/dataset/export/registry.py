"""The formats there are, by name; a format's module is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from farm.errors import needing

if TYPE_CHECKING:
    from farm.dataset.export.base import Exporter

INSTALL = "pip install 'viewfarm[export]'"


class Format(NamedTuple):
    """Where a format's exporter is, and what the help says of it."""

    module: str
    exporter: str
    summary: str
    of_sequences: bool = False
    """It holds frames in time, and no pictures on their own."""
    of_sentences: bool = False
    """It is about sentences, and what they mean in pictures."""
    of_scenes: bool = False
    """It is for 3D learning: views of things that stand still, with their cameras."""


def video(module: str, exporter: str, summary: str) -> Format:
    """Return a format of sequences."""
    return Format(f"video.{module}", exporter, summary, of_sequences=True)


def language(module: str, exporter: str, summary: str) -> Format:
    """Return a format of sentences."""
    return Format(f"language.{module}", exporter, summary, of_sentences=True)


def scenes(module: str, exporter: str, summary: str) -> Format:
    """Return a format for 3D learning."""
    return Format(f"scenes.{module}", exporter, summary, of_scenes=True)


FORMATS: dict[str, Format] = {
    "coco": Format("coco", "CocoExporter", "instances as RLE or polygons, for pycocotools"),
    "yolo": Format("yolo", "YoloExporter", "segmentation: data.yaml, images/, labels/ of polygons"),
    "huggingface": Format(
        "huggingface", "ParquetExporter", "Parquet with pictures inside, for load_dataset"
    ),
    "webdataset": Format("webdataset", "TarExporter", "shards of tar files, for streaming"),
    "bop": Format("bop", "BopExporter", "6D poses: scenes with depth, masks and cameras"),
    "folders": Format(
        "folders", "FolderExporter", "split/class/picture.png and masks, for tfds.ImageFolder"
    ),
    "refcoco": language("refcoco", "RefcocoExporter", "refs(unc).p and instances.json, for REFER"),
    "grefcoco": language("grefcoco", "GrefcocoExporter", "the same with several targets, or none"),
    "odvg": language("odvg", "OdvgExporter", "JSON lines, for Grounding DINO and mmdetection"),
    "mdetr": language("mdetr", "MdetrExporter", "COCO with an entry per sentence, and its words"),
    "swift": language("swift", "SwiftExporter", "JSON lines for ms-swift: Qwen-VL, InternVL"),
    "hf-refcoco": language("hf_refcoco", "HfRefcocoExporter", "Parquet as jxu124/refcoco has it"),
    "lmms-eval": language("lmms_eval", "LmmsEvalExporter", "Parquet as lmms-lab/RefCOCO has it"),
    "pixmo": language("pixmo", "PixmoExporter", "Parquet of points, as PixMo-Points has it"),
    "clevr-ref": language("clevr_ref", "ClevrRefExporter", "scenes and refexps of CLEVR-Ref+"),
    "polyformer": language("polyformer", "PolyformerExporter", "TSV with pictures and polygons"),
    "refgrasp": language("refgrasp", "RefgraspExporter", "RefGrasp's folders, file by file"),
    "nerf": scenes("nerf", "NerfExporter", "transforms_{train,val,test}.json, RGBA"),
    "ngp": scenes("ngp", "NgpExporter", "transforms.json, with the scale that fits the unit cube"),
    "colmap": scenes("colmap", "ColmapExporter", "images/ and sparse/0/ with points, for 3DGS"),
    "zero123": scenes("zero123", "Zero123Exporter", "000.png and 000.npy for each object"),
    "openlrm": scenes("openlrm", "OpenlrmExporter", "rgba/, pose/ and intrinsics.npy by object"),
    "trellis": scenes("trellis", "TrellisExporter", "renders/<sha256>/ with transforms.json"),
    "gobjaverse": scenes("gobjaverse", "GobjaverseExporter", "camera, normals and depth by view"),
    "materials": scenes("materials", "MaterialsExporter", "a folder for each map, as glTF has it"),
    "matting": scenes("matting", "MattingExporter", "fg/, alpha/ and bg/, for mattes"),
    "rvm": scenes("rvm", "RvmExporter", "fgr/ and pha/, by clip of sequences: RVM, BGMv2"),
    "nerfstudio": Format(
        "video.nerfstudio",
        "NerfstudioExporter",
        "transforms.json, pictures, depth, points",
        of_sequences=True,
        of_scenes=True,
    ),
    "davis": video("davis", "DavisExporter", "objects with a palette, for VOS"),
    "ytvis": video("ytvis", "YtvisExporter", "tracks of masks, for YouTube-VIS and OVIS"),
    "kitti": video("kitti", "KittiExporter", "pairs with flow as 16-bit PNG"),
    "middlebury": video("middlebury", "MiddleburyExporter", ".flo in the folders of MPI Sintel"),
    "tum": video("tum", "TumExporter", "RGB-D with time stamps and the camera's path"),
    "tapvid": video("tapvid", "TapvidExporter", "tracks of points, as npz"),
    "movi": video("movi", "MoviExporter", "Kubric's MOVi: video, labels and poses, as npz"),
    "mp4": video("mp4", "Mp4Exporter", "a video of each pass, for people and players"),
    "clips": video("clips", "ClipExporter", "webdataset with a sample for each sequence"),
    "visionsim": video("visionsim", "VisionsimExporter", "visionsim's folders and channels"),
}

PICTURE_FORMATS = [
    name
    for name, known in FORMATS.items()
    if not (known.of_sequences or known.of_sentences or known.of_scenes)
]
SCENE_FORMATS = [name for name, known in FORMATS.items() if known.of_scenes]
LANGUAGE_FORMATS = [name for name, known in FORMATS.items() if known.of_sentences]
SEQUENCE_FORMATS = [name for name, known in FORMATS.items() if known.of_sequences]


def load_format(name: str) -> type[Exporter[Any]]:
    """Return the exporter of a format.

    Raises:
        SetupError: A package that it needs is not installed.
    """
    wanted = FORMATS[name]
    with needing(f"an export to {name} needs", INSTALL):
        module = import_module(f"farm.dataset.export.formats.{wanted.module}")
    return cast("type[Exporter[Any]]", getattr(module, wanted.exporter))
