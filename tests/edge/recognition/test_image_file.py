"""Image files: what is not a sound image of sane size is refused in one line."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import InputError
from edge.recognition.image_file import image_size, read_grey_image, read_rgb_image

MAGICS = [b"\x89PNG\r\n\x1a\n", b"BM", b"\xff\xd8", b"II*\0", b"MM\0*", b""]
PIXELS = np.random.default_rng(1).integers(0, 256, (60, 40), np.uint8)


def _encoded(extension: str, pixels=PIXELS) -> bytes:
    return cv2.imencode(extension, pixels)[1].tobytes()


def _png_header(width: int, height: int) -> bytes:
    """A PNG that announces a size and holds next to nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = (
        chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("extension", [".png", ".bmp", ".tiff"])
def test_lossless_formats_come_back_pixel_by_pixel(tmp_path, extension):
    path = tmp_path / f"print{extension}"
    path.write_bytes(_encoded(extension))
    assert np.array_equal(read_grey_image(path), PIXELS)
    assert read_rgb_image(path).shape == (60, 40, 3)


def test_jpeg_is_read(tmp_path):
    path = tmp_path / "print.jpg"
    path.write_bytes(_encoded(".jpg"))
    assert read_grey_image(path).shape == (60, 40)


def test_colour_becomes_grey_and_rgb_keeps_its_order(tmp_path):
    blue_green_red = np.zeros((20, 30, 3), np.uint8)
    blue_green_red[..., 2] = 200
    path = tmp_path / "red.png"
    path.write_bytes(_encoded(".png", blue_green_red))
    assert read_grey_image(path).shape == (20, 30)
    assert read_rgb_image(path)[0, 0].tolist() == [200, 0, 0]


def test_sixteen_bits_become_eight(tmp_path):
    path = tmp_path / "deep.png"
    path.write_bytes(_encoded(".png", PIXELS.astype(np.uint16) << 8))
    assert np.array_equal(read_grey_image(path), PIXELS)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"this is a text, not a picture\n" * 10, "not an image"),
        (b"", "not an image"),
        (_encoded(".png", np.zeros((1, 1), np.uint8)), "too small"),
        (_png_header(20_000, 20_000), "too large"),
        (_png_header(8_000, 8_000), "too large"),
        (_png_header(2**32 - 1, 3), "too "),
        (_encoded(".png")[:-20], "cut off"),
        (_encoded(".jpg")[:-200], "cut off"),
        (_encoded(".bmp")[:-20], "cut off"),
        (_encoded(".png")[:20], "not an image"),
    ],
)
def test_unusable_files_are_refused_by_name(tmp_path, data, message):
    path = tmp_path / "print.png"
    path.write_bytes(data)
    for read in (read_grey_image, read_rgb_image):
        with pytest.raises(InputError, match=message) as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_a_truncated_tiff_is_refused(tmp_path, share):
    data = _encoded(".tiff")
    path = tmp_path / "print.tiff"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError):
        read_grey_image(path)


def test_an_absent_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_grey_image(tmp_path / "absent.png")


@given(
    st.sampled_from(
        [b"\x89PNG\r\n\x1a\n", b"BM", b"\xff\xd8", b"II*\0", b"MM\0*", b""]
    ),
    st.binary(max_size=200),
)
def test_any_header_is_read_or_refused_without_a_crash(magic, rest):
    size = image_size(magic + rest)
    assert size is None or len(size) == 2


@pytest.mark.parametrize("extension", [".png", ".bmp", ".tiff", ".jpg"])
def test_the_header_states_width_and_height(extension):
    assert image_size(_encoded(extension)) == (40, 60)
