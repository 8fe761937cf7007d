"""Reading the network's maps, with a network that finds one grey value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import InputError
from edge.recognition.fingerprint.minutiae import find_minutiae, read_maps

MARK = 7


class _MarkedPixels:
    """Implements InferenceSession: every pixel of the grey value MARK is a minutia."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, ...]] = []

    def run(self, inputs):
        image = inputs["image"]
        assert image.dtype == np.uint8
        assert image.flags.c_contiguous
        self.sizes.append(image.shape)
        strength = (image == MARK).astype(np.float32)[:, None] * 0.9
        direction = np.concatenate([np.ones_like(strength), 0 * strength], axis=1)
        return [strength, direction, np.ones_like(strength), strength]


def _image(height, width, marks=()):
    image = np.full((height, width), 240, np.uint8)
    for x, y in marks:
        image[y, x] = MARK
    return image


def _with_ridges(image, top, left, size):
    wave = 127 + 100 * np.sin(np.arange(size) * 0.7)
    image[top : top + size, left : left + size] = np.tile(wave, (size, 1)).clip(20)
    return image


def test_an_even_image_holds_no_minutiae_and_the_network_rests():
    session = _MarkedPixels()
    assert len(find_minutiae(session, _image(288, 256))) == 0
    assert not session.sizes


@settings(deadline=None, max_examples=60)
@given(
    height=st.integers(60, 400),
    width=st.integers(60, 400),
    top=st.integers(0, 400),
    left=st.integers(0, 400),
    data=st.data(),
)
def test_minutiae_are_where_they_are_in_the_image(height, width, top, left, data):
    size = 40
    top, left = min(top, height - size), min(left, width - size)
    image = _with_ridges(_image(height, width), top, left, size)
    marks = data.draw(
        st.sets(
            st.tuples(
                st.integers(left, left + size - 1), st.integers(top, top + size - 1)
            ),
            max_size=5,
        )
    )
    for x, y in marks:
        image[y, x] = MARK
    session = _MarkedPixels()
    found = find_minutiae(session, image)
    assert set(zip(found.x.tolist(), found.y.tolist(), strict=True)) == marks
    assert all(side % 32 == 0 for side in session.sizes[0][1:])


def test_the_network_sees_only_the_print_of_a_large_scan():
    session = _MarkedPixels()
    image = _with_ridges(_image(480, 504), 300, 330, 100)
    image[310, 340] = MARK
    found = find_minutiae(session, image)
    assert (found.x.tolist(), found.y.tolist()) == ([340], [310])
    assert session.sizes[0][1] <= 224
    assert session.sizes[0][2] <= 224


def test_a_print_that_fills_the_image_is_padded_in_the_corner_grey():
    session = _MarkedPixels()
    image = _with_ridges(_image(300, 300), 0, 0, 300)
    image[0, 0] = MARK  # and so all of the padding
    found = find_minutiae(session, image)
    assert (found.x.tolist(), found.y.tolist()) == ([0], [0])
    assert session.sizes == [(1, 320, 320)]


def test_what_is_larger_than_a_finger_is_refused():
    image = _with_ridges(_image(2048, 2048), 0, 0, 1500)
    with pytest.raises(InputError, match="no single finger"):
        find_minutiae(_MarkedPixels(), image)


def test_the_strongest_minutiae_come_first_and_the_weak_are_left_out():
    strength = np.zeros((10, 10), np.float32)
    strength[2, 3], strength[5, 6], strength[8, 1] = 0.7, 0.9, 0.2
    kind = np.zeros((10, 10), np.float32)
    kind[5, 6] = 0.5
    direction = np.zeros((2, 10, 10), np.float32)
    direction[:, 2, 3] = 0.0, -1.0
    direction[:, 5, 6] = 1.0, -1e-9
    found = read_maps(direction, kind, strength)
    assert found.x.tolist() == [6, 3]
    assert found.y.tolist() == [5, 2]
    assert found.quality.tolist() == [90, 70]
    assert found.kind.tolist() == [1, 2]
    np.testing.assert_allclose(found.angle_rad, [0.0, 1.5 * np.pi], rtol=1e-6)
    assert found.angle_rad.max() < 2 * np.pi


def test_no_more_minutiae_are_kept_than_a_template_holds():
    strength = np.linspace(0.5, 1, 400, dtype=np.float32).reshape(20, 20)
    flat = np.ones((20, 20), np.float32)
    found = read_maps(np.ones((2, 20, 20), np.float32), flat, strength)
    assert len(found) == 255
    assert found.quality[0] == 100
