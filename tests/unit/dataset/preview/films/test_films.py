"""A sequence is looked at as a film: panels side by side, one scale for all frames, any length."""

from __future__ import annotations

import io
import json
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from farm.cli.main import make_app
from farm.dataset.reader import open_dataset
from farm.dataset.sequences import find_sequences, has_sequences
from farm.errors import FarmError
from farm.storage import open_storage
from tests.support.changed_datasets import ChangedDataset
from tests.support.datasets import write_dataset
from tests.support.full_disks import small_disk
from tests.support.sequences import SEQUENCE_PASSES, write_sequences

pytest.importorskip("imagecodecs")
pytest.importorskip("OpenEXR")
Image = pytest.importorskip("PIL.Image")

from farm.dataset.preview.colour_maps import BACKGROUND, WHEEL, middlebury, paint_flow  # noqa: E402
from farm.dataset.preview.films import film  # noqa: E402  needs Pillow
from farm.dataset.preview.films.animation import write_webp  # noqa: E402
from farm.dataset.preview.films.film import Film, film_suffix, make_film  # noqa: E402
from farm.dataset.preview.films.film_page import film_page  # noqa: E402
from farm.dataset.preview.films.panels import Scale, draw_strip, lay_out, measure  # noqa: E402

STREET, HARBOUR = "street/001-00001-00006", "harbour/001-00001-00006"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_sequences(tmp_path / "set", sequences=2, frames=6)
    return tmp_path / "set"


def run(*args: object) -> Result:
    return CliRunner().invoke(make_app(), ["dataset", "preview", *map(str, args)])


def frames_of(path: Path) -> list[np.ndarray]:
    """Decode a film."""
    if path.suffix == ".mp4":
        import av

        with av.open(str(path)) as file:
            return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    with Image.open(path) as picture:
        found = []
        for at in range(picture.n_frames):
            picture.seek(at)
            found.append(np.asarray(picture.convert("RGB")))
        return found


def make(folder: Path, path: Path, **options) -> Film:
    data = open_dataset(folder)
    sequence = next(iter(find_sequences(data)))
    return make_film(data, sequence, path, **{"at_most": 300, "workers": 2} | options)


def the_suffixes() -> list[str]:
    return [film_suffix(), ".webp"] if film_suffix() != ".webp" else [".webp"]


@pytest.mark.parametrize("suffix", the_suffixes())
def test_a_film_shows_all_frames_at_the_datasets_pace(folder, tmp_path, suffix):
    made = make(folder, tmp_path / f"film{suffix}")

    shown = frames_of(made.path)
    assert len(shown) == made.frames == 6
    assert {frame.shape for frame in shown} == {(made.size[1], made.size[0], 3)}
    assert made.size == (4 + 5 * 324, 34 + 320 + 32)
    assert len({frame.tobytes() for frame in shown}) == 6
    if suffix == ".mp4":
        import av

        with av.open(str(made.path)) as file:
            assert float(file.streams.video[0].average_rate) == 24.0


def test_a_webp_keeps_the_pace_where_milliseconds_do_not_divide(tmp_path):
    frames = (np.full((8, 8, 3), 10 * at, np.uint8) for at in range(24))

    write_webp(tmp_path / "a.webp", frames, count=24, fps=24.0)

    with Image.open(tmp_path / "a.webp") as picture:
        assert (picture.n_frames, picture.info["loop"]) == (24, 0)
        lasted = 0
        for at in range(24):
            picture.seek(at)
            picture.load()
            lasted += picture.info["duration"]
    assert lasted == 1000


def test_a_long_sequence_shows_every_nth_frame_and_says_so(folder, tmp_path):
    made = make(folder, tmp_path / "film.webp", at_most=2)

    assert len(frames_of(made.path)) == 2
    assert made.note == "6 frames at 24 fps, every 3rd is shown"


def test_few_frames_of_a_film_are_in_memory(tmp_path, monkeypatch):
    """Those that are drawn ahead of the encoder, whatever the length."""
    drawn, written, most = 0, 0, 0
    draw = film.draw_frame

    def counted(*args, **options):
        nonlocal drawn
        drawn += 1
        return draw(*args, **options)

    monkeypatch.setattr(film, "draw_frame", counted)
    write_sequences(tmp_path / "long", sequences=1, frames=40, size=(16, 16), passes=("rgb",))

    def progress(frames: int) -> None:
        nonlocal written, most
        written += frames
        most = max(most, drawn - written)

    make(tmp_path / "long", tmp_path / "film.webp", workers=2, progress=progress)

    assert written == 40
    assert most <= 2 * 4 + 1


def panel(strip, picture: np.ndarray, name: str) -> np.ndarray:
    left = strip.left(strip.passes.index(name))
    return picture[34 : 34 + strip.panel[1], left : left + strip.panel[0]]


def test_colours_mean_the_same_in_all_frames(folder):
    """What is as far as before has the colour that it had, whatever else comes near."""
    data = ChangedDataset(folder)
    depth = np.full((64, 64), 5.0, np.float32)
    near = depth.copy()
    near[:32] = 1.0
    data.change("depth", lambda _old: depth, at=0)
    data.change("depth", lambda _old: near, at=1)
    data.save()
    one, other = open_dataset(folder)[:2]
    strip = lay_out(one.record)
    scale = measure(one, strip.passes).with_more(measure(other, strip.passes))

    shown = [
        panel(strip, draw_strip(view, strip, scale, title="t"), "depth") for view in (one, other)
    ]

    assert scale.depth == (1.0, 5.0)
    assert np.array_equal(shown[0][-10:], shown[1][-10:])
    assert not np.array_equal(shown[0][:10], shown[1][:10])


@pytest.mark.parametrize(
    ("passes", "shown"),
    [
        (SEQUENCE_PASSES, ("rgb", "depth", "normal", "index", "flow_forward")),
        (("mask", "flow_backward"), ("mask", "flow_backward")),
        (("flow_forward_valid",), ("flow_forward_valid",)),
        (("rgb",), ("rgb",)),
    ],
)
def test_panels_show_what_passes_there_are(tmp_path, passes, shown):
    write_sequences(tmp_path, sequences=1, frames=2, passes=passes)
    view = open_dataset(tmp_path)[0]

    strip = lay_out(view.record)
    picture = draw_strip(view, strip, measure(view, strip.passes), title="t")

    assert strip.passes == shown
    assert picture.shape == (strip.size[1], strip.size[0], 3)
    assert strip.size[0] % 2 == strip.size[1] % 2 == 0


def test_a_broken_pass_is_a_plain_panel_and_the_film_goes_on(folder, tmp_path):
    view = open_dataset(folder)[2]
    (folder / view.path("depth")).write_bytes(b"nothing")
    (folder / view.path("flow_forward")).unlink()

    assert len(frames_of(make(folder, tmp_path / "film.webp").path)) == 6
    strip = lay_out(view.record)
    picture = draw_strip(view, strip, Scale((1.0, 5.0), 2.0), title="t")
    for name in ("depth", "flow_forward"):
        assert len(np.unique(panel(strip, picture, name).reshape(-1, 3), axis=0)) == 1


def test_the_wheel_is_middleburys():
    """Right is red, down yellow, left cyan, up violet; nothing is white."""
    assert len(WHEEL) == 55
    assert WHEEL[[0, 15, 21, 25, 36, 49]].tolist() == [
        [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1],
    ]  # fmt: skip
    flow = np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [0, 0], [2, 0]], float)
    right, down, left, up, nothing, far = middlebury(flow).tolist()
    assert right == pytest.approx([1, 0, 0])
    assert down == pytest.approx([1, 0.917, 0], abs=0.01)
    assert left == pytest.approx([0, 0.773, 1], abs=0.05)
    assert up == pytest.approx([0.404, 0, 1], abs=0.05)
    assert nothing == [1, 1, 1]
    assert far == pytest.approx([0.75, 0, 0])  # what is beyond the scale is darker
    angles = np.linspace(0, 2 * np.pi, 721)
    around = middlebury(np.stack([np.cos(angles), np.sin(angles)], axis=-1))
    assert np.abs(np.diff(around, axis=0)).max() < 0.05  # without a seam


def test_flow_that_cannot_be_trusted_is_not_shown():
    flow = np.array([[[2.0, 0.0], [2.0, 0.0]]], np.float32)

    colours, note = paint_flow(flow, 2.0, np.array([[True, False]]))

    assert colours[0].tolist() == [[255, 0, 0], list(BACKGROUND)]
    assert note == "up to 2 px"


def test_the_command_writes_films_and_a_page_that_plays_them(folder):
    done = run(folder, "--html")

    assert done.exit_code == 0, done.output
    page = (folder / "preview.html").read_text()
    for name in (STREET, HARBOUR):
        path = folder / name / f"preview{film_suffix()}"
        assert len(frames_of(path)) == 6
        assert str(path) in done.stdout
        assert f'src="{name}/preview{film_suffix()}"' in page
        assert f"<b>{name}</b><span>6 frames at 24 fps</span>" in page
    if film_suffix() == ".mp4":
        assert page.count("autoplay muted loop controls playsinline></video>") == 2
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    verified = CliRunner().invoke(make_app(), ["dataset", "verify", str(folder), "--json"])
    checks = json.loads(verified.stdout)["places"][str(folder)]["checks"]
    assert [check["found"] for check in checks if check["check"] == "stray"] == [0]


def test_one_sequence_goes_into_a_folder_of_its_own(folder, tmp_path):
    done = run(folder, "--sequence", HARBOUR, "--frames", 3, "--out", tmp_path / "films")

    assert done.exit_code == 0, done.output
    films = [path for path in (tmp_path / "films").rglob("*") if path.is_file()]
    assert films == [tmp_path / "films" / HARBOUR / f"preview{film_suffix()}"]
    assert len(frames_of(films[0])) == 3
    assert "6 frames at 24 fps, every 2nd is shown" in done.stdout


def test_without_an_encoder_films_are_animated_webp(folder, monkeypatch):
    monkeypatch.setattr(film.importlib.util, "find_spec", lambda _name: None)

    assert run(folder).exit_code == 0
    assert len(frames_of(folder / STREET / "preview.webp")) == 6


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--views", 3), "--views: .* holds sequences: --frames limits each one's film"),
        (
            ("--sequence", "no"),
            f"--sequence no: there is none of this name, but {STREET}, {HARBOUR}",
        ),
        (("--out", "film.mp4"), "--out film.mp4: there is a film for each sequence: give a folder"),
        (("--view", "x", "--html"), "give only one of them"),
    ],
)
def test_flags_that_do_not_fit_are_refused(folder, flags, words):
    done = run(folder, *flags)

    assert isinstance(done.exception, FarmError)
    assert re.search(words, str(done.exception))


@pytest.mark.parametrize("flags", [("--sequence", "a"), ("--frames", 3)])
def test_where_there_is_no_sequence_its_flags_are_refused(tmp_path, flags):
    write_dataset(tmp_path, views=2, passes=("rgb", "mask"))

    done = run(tmp_path, *flags)

    assert isinstance(done.exception, FarmError)
    assert f"{flags[0]}: " in str(done.exception)
    assert "is of a sequence" in str(done.exception)


def test_views_of_no_sequence_are_told_of(folder):
    write_dataset(folder.parent / "balls", views=2, passes=("rgb", "mask"))

    done = run(folder.parent)

    assert done.exit_code == 0, done.output
    assert "note: 2 views of no sequence left out" in done.stderr
    assert (folder / STREET / f"preview{film_suffix()}").exists()
    assert not (folder.parent / "preview.jpg").exists()


def test_films_of_a_bucket_come_here(folder, tmp_path, s3_place, monkeypatch):
    bucket = open_storage(s3_place)
    for path in folder.rglob("*"):
        if path.is_file():
            bucket.put_file(path.relative_to(folder).as_posix(), path)
    monkeypatch.chdir(tmp_path)

    done = run(s3_place, "--html")

    assert done.exit_code == 0, done.output
    page = (tmp_path / "preview/preview.html").read_text()
    assert f'src="{STREET}/preview{film_suffix()}"' in page
    assert len(frames_of(tmp_path / "preview" / STREET / f"preview{film_suffix()}")) == 6


@pytest.mark.parametrize("suffix", the_suffixes())
@pytest.mark.parametrize("fps", [1e-6, 0.5, 23.976, 240.0, 100_000.0])
def test_films_of_any_pace_and_of_one_frame_can_be_played(tmp_path, fps, suffix):
    for frames in (1, 3):
        place = tmp_path / str(frames)
        write_sequences(place, sequences=1, frames=frames, fps=fps, passes=("rgb",), size=(16, 20))

        assert len(frames_of(make(place, place / f"film{suffix}").path)) == frames


def test_a_full_disk_is_named(folder, tmp_path, monkeypatch):
    with small_disk(tmp_path / "disk", 1 << 15) as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk))

        done = run(folder)

        assert isinstance(done.exception, FarmError), done.output
        assert str(disk) in str(done.exception)
        assert "No space left on device" in str(done.exception)
        assert not list(disk.iterdir())


def test_a_frame_is_looked_at_like_any_view(folder):
    name = open_dataset(folder)[1].name

    assert run(folder, "--view", name, "--out", folder.parent / "view.png").exit_code == 0
    data = (folder.parent / "view.png").read_bytes()
    assert Image.open(io.BytesIO(data)).format == "PNG"


def test_sequences_are_found_in_order_whatever_the_order_of_records(folder):
    listing = folder / "views.jsonl"
    lines = listing.read_text().splitlines(keepends=True)
    listing.write_text("".join(reversed(lines)))
    summary = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(summary | {"sequences": []}))
    data = open_dataset(folder)

    found = {each.key: each for each in find_sequences(data)}

    assert has_sequences(data)
    assert found.keys() == {STREET, HARBOUR}
    numbers = [data[view].record.view.moment.number for view in found[STREET].in_order()]
    assert numbers == [1, 2, 3, 4, 5, 6]


def test_a_sequence_whose_name_leads_out_writes_nothing_there(folder):
    data = ChangedDataset(folder)
    for line in data.lines:
        line["view"]["moment"]["sequence"] = "../outside"
    data.save()

    done = run(folder)

    assert isinstance(done.exception, FarmError)
    assert not (folder.parent / "outside").exists()


def test_a_strangers_name_is_text_on_the_page():
    evil = Film("<script>", Path("/a b/<x>.mp4"), (2, 2), 1, 1, 24.0, 1)

    page = film_page([evil], beside=Path("/"), title="<script>", subtitle="$title")

    assert "<script>" not in page
    assert 'src="a%20b/%3Cx%3E.mp4"' in page
