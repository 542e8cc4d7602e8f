"""Pictures of surfaces are known by their headers, before anything decodes them."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from farm.errors import AssetError
from farm.library.formats import check_file


def encoded(format_: str, *, size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (90, 60, 30)).save(stream, format_, **options)
    return stream.getvalue()


EXIF = Image.Exif()
EXIF[0x010E] = "wood " * 6000


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("wood.png", encoded("PNG")),
        ("wood.jpg", encoded("JPEG")),
        ("wood.JPEG", encoded("JPEG", progressive=True)),
        ("camera.jpg", encoded("JPEG", exif=EXIF)),
    ],
)
def test_pictures_are_taken(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    check_file(tmp_path / name, "image")


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("wood.png", encoded("JPEG"), "it is a JPEG picture: rename it to end in .jpg"),
        ("wood.jpg", encoded("PNG"), "it is a PNG picture: rename it to end in .png"),
        ("wood.png", encoded("GIF"), "not a picture (PNG or JPEG): it is a GIF picture"),
        ("wood.png", encoded("TIFF"), "not a picture (PNG or JPEG): it is a TIFF picture"),
        ("wood.png", b"", "the file is empty"),
        ("wood.png", encoded("PNG")[:20], "its header is damaged"),
        ("wood.jpg", encoded("JPEG")[:30], "its header is damaged"),
        ("wood.jpg", b"\xff\xd8\xff" + bytes(40), "its header is damaged"),
        ("wood.bmp", encoded("BMP"), ".bmp is not one of .png, .jpg, .jpeg"),
        (
            "wood.png",
            encoded("PNG")[:16] + (40_000).to_bytes(4) * 2 + encoded("PNG")[24:],
            "40000 x 40000 pixels",
        ),
    ],
)
def test_what_is_no_picture_is_refused_by_one_sentence(tmp_path, name, data, told):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(AssetError) as refused:
        check_file(tmp_path / name, "image")
    assert told in str(refused.value)
